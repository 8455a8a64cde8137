"""The workflows people have, with what each visits: `engine/seeds.toml` as values."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.config import tables_folder
from bot.reading import import_text
from bot.services.declared import DECLARATIONS
from engine.convert import Imported, Naming
from grammar.language import Language

DATA = Path(__file__).parent / "data"
LANGUAGE = Language(DECLARATIONS, tables_folder())


@dataclass(frozen=True, slots=True)
class Seed:
    """One run of one workflow; `engine/seeds.toml` says what the fields mean."""

    file: str
    form: str
    visits: list[str]
    case: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    event: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    fails: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)
    before: list[list[str]] = field(default_factory=list)
    never: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    seconds: float = 0
    endless: bool = False

    @property
    def name(self) -> str:
        return f"{Path(self.file).name}: {self.case}" if self.case else Path(self.file).name

    def imported(self) -> Imported:
        return read(self.file)


def read(file: str) -> Imported:
    """A file under tests/data, read as the program reads files."""
    path = DATA / file
    naming = Naming(workflow=path.name.split(".")[0])
    return import_text(path.read_text(encoding="utf-8"), LANGUAGE, naming, path.suffix)


SEEDS = [
    Seed(**seed)
    for seed in tomllib.loads((Path(__file__).parent / "engine" / "seeds.toml").read_text(encoding="utf-8"))["seed"]
]

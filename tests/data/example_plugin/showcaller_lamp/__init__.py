"""Lamps for Showcaller: an example of a plugin, and what a new one can start from."""

from pydantic import BaseModel, Field

from bot.plugins import Begin, Call, EventType, OutcomeUnknown, PluginService, ServiceError, method, settle


class Dim(BaseModel):
    """What is said of a lamp to dim it."""

    lamp: str = Field(max_length=40)
    level: int = Field(ge=0, le=100)


class Dimmed(BaseModel):
    """What came of it; later steps can name each field: `${dim.before}`."""

    lamp: str
    before: int
    level: int


class Blink(BaseModel):
    """What is said of a lamp to blink it."""

    lamp: str = Field(max_length=40)
    times: int = Field(default=1, ge=1, le=10)


class Blinked(BaseModel):
    """How often it has blinked."""

    times: int


class Switch(BaseModel):
    """What is said of a lamp to switch it."""

    lamp: str = Field(max_length=40)
    on: bool


class Lamp(PluginService):
    """Two lamps, `desk` and `ceiling`, with a level each."""

    name = "lamp"
    events = (
        EventType(
            "lamp.switched",
            "bot",
            "a lamp is switched",
            {"lamp": "text", "state": "text"},
        ),
    )

    def __init__(self) -> None:
        self.levels = {"desk": 100, "ceiling": 100}
        self.blinked: dict[str, int] = {}

    async def opened(self) -> None:
        """A real one would connect here; what is raised leaves the plugin out and is told at start."""
        if self.stage.setting("only") is not None:
            only = str(self.stage.setting("only"))
            self.levels = {only: 100}

    # Twice the same level is as good as once, so this may be repeated after a crash.
    @method(
        phrases=("dim {lamp} to {level}", "(dim|set) [the] lamp {lamp} to {level} [percent]"),
        noun=("dimming",),
        repeatable=True,
    )
    async def dim(self, params: Dim) -> Dimmed:
        """Set the level of a lamp."""
        before = self._level(params.lamp)
        self.levels[params.lamp] = params.level
        return Dimmed(lamp=params.lamp, before=before, level=params.level)

    # Blinking twice is not the same as blinking once. After a crash `find_blinked` is asked.
    @method(phrases=("blink {lamp}", "blink {lamp} {times} times"), noun=("blinking",))
    async def blink(self, params: Blink, call: Call, begin: Begin) -> Blinked:
        """Blink a lamp. It takes `begin` itself, since finding the lamp is not yet doing anything."""
        self._level(params.lamp)
        await begin()
        if self.levels[params.lamp] == 0:
            raise OutcomeUnknown(f"{params.lamp} is off, so nobody saw whether it blinked")
        self.blinked[call.id] = params.times
        return Blinked(times=params.times)

    @settle("blink")
    async def find_blinked(self, params: Blink, call: Call) -> Blinked | None:
        """What became of a blinking that was under way when the bot was stopped."""
        times = self.blinked.get(call.id)
        return None if times is None else Blinked(times=times)

    # Two sentences for one method: each stands for a value of `on`.
    @method(
        phrases=("light {lamp}", "darken {lamp}"),
        fixed={0: {"on": True}, 1: {"on": False}},
        noun=("light",),
        repeatable=True,
    )
    async def switch(self, params: Switch) -> None:
        """Switch a lamp, and let workflows hear of it."""
        self._level(params.lamp)
        self.levels[params.lamp] = 100 if params.on else 0
        await self.stage.happened("lamp.switched", lamp=params.lamp, state="on" if params.on else "off")

    def _level(self, lamp: str) -> int:
        if lamp not in self.levels:
            raise ServiceError("not_found", f'there is no lamp "{lamp}"; those there are: {", ".join(self.levels)}')
        return self.levels[lamp]

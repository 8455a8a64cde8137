"""A real OBS Studio without a screen: its own X server, home, port and settings, all below one folder.

Nothing of it is shared with anybody, so several may run at once. It is started once for all tests; what they change they
put back. Only processes that it started are ever ended.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

PASSWORD = "studio-secret"
KEY = "testkey"
WITHIN = 60.0
"""Seconds after which OBS has failed to start; on a quiet machine it needs less than one."""
NEEDED = ("obs", "Xvfb", "ffmpeg", "ffprobe")
SIZE = (640, 360)

RED, BLUE = 0xFF0000FF, 0xFFFF0000
"""As OBS has colors: alpha, blue, green, red."""


def missing() -> str:
    """What is not installed here; "" if everything is."""
    return ", ".join(name for name in NEEDED if shutil.which(name) is None)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _ini(sections: Mapping[str, Mapping[str, Any]]) -> str:
    lines: list[str] = []
    for name, values in sections.items():
        lines += [f"[{name}]", *(f"{key}={_word(value)}" for key, value in values.items()), ""]
    return "\n".join(lines)


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _items(*names: str) -> dict[str, Any]:
    shown = [{"name": name, "id": number, "visible": True} for number, name in enumerate(names, 1)]
    return {"items": shown, "id_counter": len(names)}


def _scenes() -> dict[str, Any]:
    font = {"face": "DejaVu Sans", "style": "Book", "size": 64, "flags": 0}
    width, height = SIZE
    grey = {"id": "color_filter_v2", "name": "Grey", "settings": {"saturation": -1.0}, "enabled": False}
    inputs: list[dict[str, Any]] = [
        {
            "id": "color_source_v3",
            "name": "Background",
            "settings": {"color": RED, "width": width, "height": height},
            "filters": [grey],
        },
        {
            "id": "color_source_v3",
            "name": "Camera",
            "settings": {"color": BLUE, "width": width // 2, "height": height},
        },
        {"id": "text_ft2_source_v2", "name": "Title", "settings": {"text": "hello", "font": font}},
        {"id": "image_source", "name": "Logo", "settings": {}},
        {"id": "ffmpeg_source", "name": "Film", "settings": {"close_when_inactive": False}},
        {"id": "pulse_input_capture", "name": "Mic", "settings": {"device_id": "default"}},
    ]
    scenes = {
        "Starting Soon": ("Background", "Title"),
        "Main": ("Background", "Camera", "Mic"),
        "Raid Screen": ("Camera",),
        "BRB": ("Logo", "Film"),
        "Ending": (),
    }
    sources = [*inputs, *({"id": "scene", "name": name, "settings": _items(*of)} for name, of in scenes.items())]
    return {
        "name": "CI",
        "current_scene": "Starting Soon",
        "current_program_scene": "Starting Soon",
        "current_transition": "Cut",
        "transition_duration": 100,
        "transitions": [],
        "scene_order": [{"name": name} for name in scenes],
        "sources": sources,
    }


class Studio:
    """OBS and its X server.

    Args:
        folder: Absolute; everything lies in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.sink_port = free_port()
        self.recordings = folder / "rec"
        self._display = ""
        self._screen: subprocess.Popen[bytes] | None = None
        self._obs: subprocess.Popen[bytes] | None = None
        self._write()

    def _write(self) -> None:
        for name in ("rec", "run"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "run").chmod(0o700)
        root = self.folder / "config" / "obs-studio"
        server = {
            "first_load": False,
            "server_enabled": True,
            "server_port": self.port,
            "alerts_enabled": False,
            "auth_required": True,
            "server_password": PASSWORD,
        }
        width, height = SIZE
        stream = {"server": f"rtmp://127.0.0.1:{self.sink_port}/live", "key": KEY, "use_auth": False}
        files = {
            "plugin_config/obs-websocket/config.json": json.dumps(server),
            "basic/scenes/CI.json": json.dumps(_scenes()),
            "basic/profiles/CI/service.json": json.dumps({"type": "rtmp_custom", "settings": stream}),
            "basic/profiles/CI/basic.ini": _ini(
                {
                    "General": {"Name": "CI"},
                    "Video": {
                        "BaseCX": width,
                        "BaseCY": height,
                        "OutputCX": width,
                        "OutputCY": height,
                        "FPSType": 0,
                        "FPSCommon": 30,
                    },
                    "Audio": {"SampleRate": 48000, "ChannelSetup": "Stereo"},
                    "Output": {"Mode": "Simple", "Reconnect": True, "RetryDelay": 1, "MaxRetries": 20},
                    "SimpleOutput": {
                        "FilePath": self.recordings,
                        "RecFormat": "mkv",
                        "RecQuality": "Small",
                        "RecEncoder": "x264",
                        "StreamEncoder": "x264",
                        "VBitrate": 300,
                        "ABitrate": 96,
                        "UseAdvanced": True,
                        "Preset": "ultrafast",
                        "RecRB": True,
                        "RecRBTime": 20,
                        "RecRBSize": 64,
                        "RecRBPrefix": "Replay",
                    },
                }
            ),
            "global.ini": _ini(
                {
                    "General": {"FirstRun": True, "LastVersion": 486539266, "EnableAutoUpdates": False},
                    "Basic": {
                        "Profile": "CI",
                        "ProfileDir": "CI",
                        "SceneCollection": "CI",
                        "SceneCollectionFile": "CI",
                        "ConfigOnNewProfile": False,
                    },
                    "BasicWindow": {
                        "WarnBeforeStartingStream": False,
                        "WarnBeforeStoppingStream": False,
                        "WarnBeforeStoppingRecord": False,
                        "SysTrayEnabled": False,
                        "PreviewEnabled": False,
                        "RecordWhenStreaming": False,
                    },
                    # Versions before 30 read this, later ones the file of the plugin.
                    "OBSWebSocket": {
                        "FirstLoad": False,
                        "ServerEnabled": True,
                        "ServerPort": self.port,
                        "AlertsEnabled": False,
                        "AuthRequired": True,
                        "ServerPassword": PASSWORD,
                    },
                }
            ),
        }
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    # Coming and going ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Let it run, and return once its server can be reached."""
        if self._screen is None:
            self._start_screen()
        until(lambda: not self._reachable())  # one that was killed may hold the port for a while
        for old in ("safe_mode", ".sentinel"):  # after a kill newer versions would ask about these
            shutil.rmtree(self.folder / "config" / "obs-studio" / old, ignore_errors=True)
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG")}
        own = {
            "DISPLAY": self._display,
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
            "QT_QPA_PLATFORM": "xcb",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "GALLIUM_DRIVER": "llvmpipe",
            "LP_NUM_THREADS": "1",
            "LC_ALL": "C.UTF-8",
        }
        command = ["obs", "--multi", "--disable-updater", "--disable-missing-files-check"]
        command += ["--websocket_port", str(self.port), "--websocket_password", PASSWORD, "--websocket_ipv4_only"]
        with (self.folder / "obs.log").open("ab") as log:
            self._obs = subprocess.Popen(
                command, env={**kept, **own}, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        until(lambda: self._reachable() or not self.runs)
        assert self.runs, (self.folder / "obs.log").read_text()[-3_000:]

    def _start_screen(self) -> None:
        read, write = os.pipe()
        with (self.folder / "screen.log").open("wb") as log:
            self._screen = subprocess.Popen(
                ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x720x24", "-nolisten", "tcp", "-noreset"],
                pass_fds=(write,),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        os.close(write)
        with os.fdopen(read) as told:
            self._display = f":{told.readline().strip()}"

    @property
    def runs(self) -> bool:
        """Whether the process is there."""
        return self._obs is not None and self._obs.poll() is None

    def _reachable(self) -> bool:
        with socket.socket() as trying:
            trying.settimeout(0.5)
            return trying.connect_ex(("127.0.0.1", self.port)) == 0

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal: STOP lets it hang, CONT lets it go on, KILL ends it."""
        assert self._obs is not None
        self._obs.send_signal(number)
        if number is signal.SIGKILL:
            self._obs.wait(10)

    def close(self) -> None:
        """End everything that was started."""
        for process in (self._obs, self._screen):
            if process is None:
                continue
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
                process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)


class Sink:
    """A server for one stream on loopback: what is sent to it lies in a file."""

    def __init__(self, studio: Studio) -> None:
        self.file = studio.folder / f"sink-{time.monotonic_ns()}.flv"
        address = f"rtmp://127.0.0.1:{studio.sink_port}/live/{KEY}"
        command = ["ffmpeg", "-loglevel", "error", "-listen", "1", "-i", address, "-c", "copy", "-y", str(self.file)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(lambda: _listens(studio.sink_port))

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)


def _listens(port: int) -> bool:
    """Whether somebody listens, looked up without connecting: the server takes one connection only."""
    wanted = f"{port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(line.split()[1].endswith(f":{wanted}") and line.split()[3] == "0A" for line in lines)


def until(holds: Callable[[], Any], within: float = WITHIN) -> None:
    """Wait until something holds."""
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end, "it did not come to that in time"
        time.sleep(0.02)


def probed(path: Path) -> dict[str, Any]:
    """What ffprobe says of a file: its streams and its format."""
    shown = ["-show_streams", "-show_format", "-of", "json"]
    done = subprocess.run(["ffprobe", "-v", "error", *shown, str(path)], capture_output=True, check=True, timeout=30)
    return dict(json.loads(done.stdout))

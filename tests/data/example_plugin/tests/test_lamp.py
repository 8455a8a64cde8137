"""The lamp's own tests: how an author of a plugin tests it. Run them with `pytest` or `python -m unittest`."""

from showcaller_lamp import Lamp

from bot.testkit import WorkflowTestCase


class LampTest(WorkflowTestCase):
    """Each test has a bot of its own, with a new lamp."""

    services = (Lamp,)

    async def test_a_raid_dims_the_desk_and_tells_how_bright_it_was(self) -> None:
        raid = await self.bench.load('when someone raids, dim "desk" to 20 then say "it was at ${dim.before}"')
        await self.bench.happen("raid.received", user="ninja", viewers=30)

        self.bench.assert_said("it was at 100")
        await self.bench.assert_visited(raid, "dim", "say")
        await self.bench.assert_result(raid, "dim", {"lamp": "desk", "before": 100, "level": 20})
        await self.bench.assert_status(raid, "completed")

    async def test_a_lamp_that_is_not_there_fails_the_step(self) -> None:
        await self.bench.load('create moon: dim "moon" to 20')
        moon = await self.bench.run("moon")

        await self.bench.assert_status(moon, "failed")
        [row] = await self.bench.history(moon)
        assert row.error is not None
        assert "there is no lamp" in row.error

    async def test_a_level_out_of_range_is_told_in_words(self) -> None:
        await self.bench.load('create bright: dim "desk" to 500')
        bright = await self.bench.run("bright")

        await self.bench.assert_status(bright, "failed")
        assert bright.error is not None
        assert "100 or less" in bright.error

    async def test_a_switched_lamp_starts_a_workflow(self) -> None:
        await self.bench.load('when a lamp is switched say "${lamp} is ${state}"')
        await self.bench.load('create dark: darken "desk" then wait 10 seconds then light "desk"')
        await self.bench.run("dark")
        self.bench.assert_said("desk is off")

        await self.bench.advance(10)
        self.bench.assert_said("desk is off", "desk is on")

"""One thing that is asked of a workflow: what starts it and when next, how long a run takes, who may run it and how often."""

from bot.catalogue import Entry
from bot.instructions.turn import Outcome, Turn, name
from bot.lengths import length_of
from bot.replies import Saying, listed, roughly, sentence, spoken
from grammar.instruction import Tell
from grammar.say_policies import say_policy


async def tell(turn: Turn, instruction: Tell) -> Outcome:
    """The answer, from how the workflow is written and from the clock."""
    entry = turn.entry(instruction.workflow)
    match instruction.aspect:
        case "starts":
            told = await _starts(turn, entry)
        case "length":
            told = _length(turn, entry)
        case _:
            told = _rights(entry)
    return turn.tell("answer", Saying(" ".join(told)), entry)


async def _starts(turn: Turn, entry: Entry) -> list[str]:
    """What starts it, and when a clock does so next."""
    triggers = " or ".join(turn.desk.language.say_trigger(trigger) for trigger in entry.definition.triggers)
    told = [
        f"{name(entry)} starts {triggers}."
        if triggers
        else f"{name(entry)} starts only by hand: !wf run {name(entry)}."
    ]
    if not entry.record.enabled:
        return [*told, "It is switched off."]
    put_off = [run.start_due for run in await turn.desk.runs(entry.id) if run.status == "scheduled" and run.start_due]
    due = turn.desk.runner.next_start(turn.desk.community, entry.id)
    times = [*put_off, *([] if due is None else [due])]
    if times:
        left = max(0.0, min(times) - turn.desk.clock.now())
        told.append(f"Next at {turn.desk.time(min(times))}, in {roughly(left)}.")
    return told


def _length(turn: Turn, entry: Entry) -> list[str]:
    """How long it takes; what nobody can know beforehand is said."""
    there = {each.id: each.definition for each in turn.desk.catalogue.there()}
    length = length_of(entry.definition, there)
    spans = [spoken(length.least)] if length.least == length.most else [spoken(length.least), spoken(length.most)]
    told = (
        f"{name(entry)} waits for nothing: it is over at once"
        if not length.most
        else f"{name(entry)} takes {' to '.join(spans)}"
    )
    if not length.open:
        return [sentence(told)]
    beside = f"{name(entry)} takes as long as" if not length.most else f"{told}, and as long as"
    return [sentence(f"{beside} {listed(length.open)}")]


def _rights(entry: Entry) -> list[str]:
    """Who may run it, and what else holds for a start."""
    policy = entry.definition.policy
    told = []
    if policy.may_run is None:
        others = ", and whoever does what starts it" if entry.definition.triggers else ""
        told.append(f"The streamer and moderators may run {name(entry)}{others}.")
    rules = list(say_policy(policy))
    if rules:
        told.append(sentence(f"For {name(entry)} holds: {', '.join(rules)}"))
    if policy.may_run is not None:
        told.append("The streamer may always.")
    if policy.cooldown is None and not any(trigger.cooldown_seconds for trigger in entry.definition.triggers):
        told.append("It has no cooldown.")
    return told

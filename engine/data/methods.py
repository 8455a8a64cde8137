"""What `data` can be asked to do: params and sentences.

Every method may be repeated: until the commit that records it as done, it has changed nothing.
"""

from typing import Final

from engine.declare import Method, Param
from engine.keys import DATA

SERVICE: Final = DATA

_USER: Final = Param("user", "user", required=False)
_COUNTER: Final = Param("counter", "counter")
_LIST: Final = Param("list")
_QUEUE: Final = Param("queue", required=False, default="queue")
_NAME: Final = Param("name")

_VARIABLES: Final = (
    Method(
        SERVICE,
        "set_variable",
        (_NAME, Param("value", "any"), _USER),
        (
            "set the {name} variable to {value}",
            "set the {name} variable of {user} to {value}",
            "(set|change) [the] variable {name} to {value}",
        ),
        verb="variable",
        repeatable=True,
    ),
    Method(
        SERVICE,
        "toggle_variable",
        (_NAME, _USER),
        ("toggle the {name} variable", "toggle the {name} variable of {user}", "(toggle|flip) [the] variable {name}"),
        verb="toggle",
        repeatable=True,
    ),
    Method(
        SERVICE,
        "get_variable",
        (_NAME, _USER, Param("default", "any", required=False)),
        ("look up the {name} variable", "look up the {name} variable of {user}"),
        verb="variable",
        repeatable=True,
    ),
    Method(
        SERVICE,
        "remove_variable",
        (_NAME, _USER),
        ("forget the {name} variable", "forget the {name} variable of {user}"),
        verb="forget",
        repeatable=True,
    ),
)

_COUNTERS: Final = (
    Method(
        SERVICE,
        "add_to_counter",
        (
            _COUNTER,
            Param("by", "number", required=False, default=1),
            Param("every", "number", required=False),
            _USER,
        ),
        (
            "add {by} to the {counter} counter",
            "add {by} to the {counter} counter of {user}",
            "add {by} to the {counter} counter with a milestone every {every}",
            "count up the {counter} counter",
            "(increase|raise|bump) the {counter} counter by {by}",
            "add {by} to [the|my|our] {counter} [counter|count]",
            "{counter} + {by}",
            "add {by} {counter}",
            "add {counter}",
            "(increase|raise) [the|my|our] {counter} [counter|count] by {by}",
            "(increment|increase|raise|count|count up|(count|mark) (it|that|this) (as|for)|count one more) [the|a|an|another|my|our] {counter} [counter|count]",
        ),
        verb="count",
        noun=("count",),
        repeatable=True,
    ),
    Method(
        SERVICE,
        "take_from_counter",
        (_COUNTER, Param("by", "number", required=False, default=1), _USER),
        (
            "take {by} from the {counter} counter",
            "take {by} from the {counter} counter of {user}",
            "count down the {counter} counter",
            "(take|subtract) {by} (from|off|off of) [the|my|our] {counter} [counter|count]",
            "(decrease|lower) [the|my|our] {counter} [counter|count] by {by}",
            "(decrement|decrease|lower) [the|my|our] {counter} [counter|count]",
        ),
        verb="count",
        repeatable=True,
    ),
    Method(
        SERVICE,
        "set_counter",
        (_COUNTER, Param("value", "number", required=False, default=0), _USER),
        (
            "set the {counter} counter to {value}",
            "set the {counter} counter of {user} to {value}",
            "reset the {counter} counter",
            "reset the {counter} counter of {user}",
            "reset [the|my|our] {counter} [counter|count]",
            "set [the|my|our] {counter} [counter|count] to {value}",
        ),
        verb="counter",
        noun=("counter", "counter reset"),
        repeatable=True,
    ),
    Method(
        SERVICE,
        "get_counter",
        (_COUNTER, _USER),
        ("look up the {counter} counter", "look up the {counter} counter of {user}"),
        verb="counter",
        repeatable=True,
    ),
)

_LISTS: Final = (
    Method(
        SERVICE,
        "add_to_list",
        (_LIST, Param("item", "any"), Param("once", "boolean", required=False), _USER),
        (
            "add {item} to the {list} list",
            "add {item} once to the {list} list",
        ),
        fixed={1: {"once": True}},
        verb="list",
        repeatable=True,
    ),
    Method(
        SERVICE,
        "remove_from_list",
        (_LIST, Param("item", "any"), _USER),
        ("take {item} off the {list} list",),
        verb="list",
        repeatable=True,
    ),
    Method(
        SERVICE,
        "pick_from_list",
        (_LIST, Param("remove", "boolean", required=False), _USER),
        (
            "pick from the {list} list",
            "pick and remove from the {list} list",
        ),
        fixed={1: {"remove": True}},
        verb="pick",
        repeatable=True,
    ),
    Method(
        SERVICE,
        "next_of",
        (_LIST, Param("options", "list", required=False), _USER),
        ("take the next of the {list} list",),
        verb="next",
        repeatable=True,
    ),
    Method(
        SERVICE,
        "list_items",
        (_LIST, _USER),
        ("read the {list} list",),
        verb="items",
        repeatable=True,
    ),
    Method(
        SERVICE,
        "clear_list",
        (_LIST, _USER),
        ("clear the {list} list",),
        verb="clear",
        repeatable=True,
    ),
)

_QUEUES: Final = (
    Method(
        SERVICE,
        "join_queue",
        (_QUEUE, _USER),
        (
            "put {user} in the queue",
            "put {user} in the {queue} queue",
        ),
        verb="join",
        repeatable=True,
    ),
    Method(
        SERVICE,
        "leave_queue",
        (_QUEUE, _USER),
        (
            "take {user} out of the queue",
            "take {user} out of the {queue} queue",
        ),
        verb="leave",
        repeatable=True,
    ),
    Method(
        SERVICE,
        "next_in_queue",
        (_QUEUE,),
        (
            "call the next in the queue",
            "call the next in the {queue} queue",
        ),
        verb="call",
        repeatable=True,
    ),
    Method(
        SERVICE,
        "queue_position",
        (_QUEUE, _USER),
        ("look up {user} in the queue", "look up {user} in the {queue} queue"),
        verb="position",
        repeatable=True,
    ),
    Method(
        SERVICE,
        "clear_queue",
        (_QUEUE,),
        ("clear the queue", "clear the {queue} queue"),
        verb="clear",
        repeatable=True,
    ),
)

_QUOTES: Final = (
    Method(
        SERVICE,
        "add_quote",
        (Param("text"), Param("author", required=False)),
        ("keep the quote {text}", "keep the quote {text} by {author}", "(add|save) [the|a] quote {text}"),
        verb="quote",
        noun=("quote",),
        repeatable=True,
    ),
    Method(
        SERVICE,
        "get_quote",
        (Param("number", "number", required=False), Param("word", required=False)),
        (
            "pick a quote",
            "look up quote {number}",
            "pick a quote with {word}",
        ),
        verb="quote",
        repeatable=True,
    ),
    Method(
        SERVICE,
        "remove_quote",
        (Param("number", "number"),),
        ("drop quote {number}",),
        verb="quote",
        repeatable=True,
    ),
)

_COUNTDOWNS: Final = (
    Method(
        SERVICE,
        "set_countdown",
        (_NAME, Param("seconds", "seconds", required=False), Param("until", "any", required=False)),
        (
            "set the {name} countdown to {seconds}",
            "set the {name} countdown to end at {until}",
        ),
        verb="countdown",
        noun=("countdown",),
        repeatable=True,
    ),
    Method(
        SERVICE,
        "add_to_countdown",
        (_NAME, Param("seconds", "seconds")),
        ("add {seconds} to the {name} countdown",),
        verb="countdown",
        repeatable=True,
    ),
    Method(
        SERVICE,
        "countdown_left",
        (_NAME,),
        ("look up the {name} countdown",),
        verb="left",
        repeatable=True,
    ),
)

DATA_METHODS: Final[tuple[Method, ...]] = (*_VARIABLES, *_COUNTERS, *_LISTS, *_QUEUES, *_QUOTES, *_COUNTDOWNS)

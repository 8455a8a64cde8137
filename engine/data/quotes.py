"""Quotes: kept by number, found by number, word or chance. A number is never given twice, whatever is removed."""

from typing import Final

from engine.data.ask import MAX_ITEMS, MAX_OWNER, QUOTES, Answer, Ask, Refused, full
from engine.data.entries import Quote, Quotes, told

MAX_QUOTE: Final = 500
_PLACE: Final = ("", QUOTES)


def add_quote(ask: Ask) -> Answer:
    """Keep what was said, under the next number."""
    found = _quotes(ask)
    if len(found.quotes) >= MAX_ITEMS:
        raise full("the collection", MAX_ITEMS, "quotes")
    author = ask.text("author", MAX_OWNER) if ask.given("author") else ""
    quote = Quote(found.last + 1, ask.text("text", MAX_QUOTE), author, ask.by[:MAX_OWNER], ask.now)
    return Answer({**told(quote), "count": len(found.quotes) + 1}, _PLACE, Quotes(quote.number, (*found.quotes, quote)))


def get_quote(ask: Ask) -> Answer:
    """The quote of a number, or one by chance of those with a word in them, or of all."""
    found = _quotes(ask)
    if ask.given("number"):
        return Answer({**told(_numbered(ask, found)), "count": len(found.quotes)})
    fitting = found.quotes
    if ask.given("word"):
        word = ask.text("word", MAX_QUOTE)
        fitting = tuple(quote for quote in fitting if _has(quote, word.casefold()))
        if not fitting and found.quotes:
            raise Refused("not_found", f'there is no quote with "{word}" in it')
    if not fitting:
        raise Refused("empty", "there are no quotes yet")
    return Answer({**told(fitting[ask.one_of(len(fitting))]), "count": len(found.quotes)})


def remove_quote(ask: Ask) -> Answer:
    """Keep a quote no longer; its number stays its own."""
    found = _quotes(ask)
    gone = _numbered(ask, found)
    left = tuple(quote for quote in found.quotes if quote is not gone)
    return Answer({**told(gone), "count": len(left)}, _PLACE, Quotes(found.last, left))


def _quotes(ask: Ask) -> Quotes:
    return ask.entry(_PLACE, Quotes, "collection of quotes") or Quotes()


def _numbered(ask: Ask, found: Quotes) -> Quote:
    number = ask.number("number")
    for quote in found.quotes:
        if quote.number == number:
            return quote
    raise Refused("not_found", f"there is no quote {number}")


def _has(quote: Quote, word: str) -> bool:
    return word in quote.text.casefold() or word in quote.author.casefold()

"""The one module that talks to the library for language models, and through it to a server that may do anything.

A server may be slow, endless, wrong or somebody else's: what it sends is read up to a size and a time, redirects are not
followed, and of its failures only the sort is told. No tools are offered, so nothing but text can come back.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Final

import httpx2
from openai import AsyncOpenAI
from pydantic_ai.direct import model_request
from pydantic_ai.exceptions import ModelAPIError, ModelHTTPError, ModelTimeoutError, UnexpectedModelBehavior
from pydantic_ai.messages import ModelRequest, ModelResponse
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings

from bot.ai.asking import Answered, Unanswered, Wanted
from bot.ai.models import Model

log = logging.getLogger(__name__)

MOST_BYTES: Final = 500_000
_OPENAI: Final = "api.openai.com"
_NO_KEY: Final = "none"
"""The library wants one, also for servers that do not."""


async def send(model: Model, wanted: Wanted, within: float) -> Answered:
    """Ask one model once.

    Raises:
        Unanswered: No answer came.
    """
    try:
        async with asyncio.timeout(within), _client(model, within) as client:
            answer = await _asked(client, model, wanted, within)
    except (TimeoutError, ModelTimeoutError):
        raise Unanswered("timeout", f"{model.name} did not answer within {within:g} seconds", retryable=True) from None
    except ModelHTTPError as error:
        raise _refused(model, error.status_code) from None
    except ModelAPIError:
        sentence = f"{model.name} cannot be reached, or broke off"
        raise Unanswered("unreachable", sentence, retryable=True) from None
    except UnexpectedModelBehavior:
        raise _misread(model) from None
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, OSError, RecursionError) as error:
        log.info("model %s: %s", model.name, type(error).__name__)
        raise _misread(model) from None
    if not answer.text:
        raise Unanswered("empty_answer", f"{model.name} answered with no words", retryable=True)
    return Answered(answer.text, _tokens(answer))


async def _asked(client: AsyncOpenAI, model: Model, wanted: Wanted, within: float) -> ModelResponse:
    # Others than the first have an older word for it.
    newer = httpx2.URL(model.url).host == _OPENAI
    asked = OpenAIChatModel(
        model.called,
        provider=OpenAIProvider(openai_client=client),
        profile=OpenAIModelProfile(openai_chat_supports_max_completion_tokens=newer),
    )
    return await model_request(
        asked,
        [ModelRequest.user_text_prompt(wanted.said, instructions=wanted.instructions)],
        model_settings=ModelSettings(max_tokens=wanted.tokens, timeout=within),
    )


def _client(model: Model, within: float) -> AsyncOpenAI:
    http = httpx2.AsyncClient(transport=_Bounded(), follow_redirects=False, trust_env=False, timeout=within)
    key = _NO_KEY if model.key is None else model.key.reveal()
    headers = {"Accept-Encoding": "identity"}
    return AsyncOpenAI(base_url=model.url, api_key=key, max_retries=0, http_client=http, default_headers=headers)


def _tokens(answer: ModelResponse) -> int | None:
    used = answer.usage.input_tokens + answer.usage.output_tokens
    return used if used > 0 else None


def _refused(model: Model, status: int) -> Unanswered:
    """A refusal by its number alone: the rest is written by strangers, and may hold what was sent."""
    if status in (401, 403):
        sentence = f"{model.name} does not take the key. Set it with: /config secret ai.model.{model.name}.key ..."
        return Unanswered("not_allowed", sentence)
    if status == 404:
        sentence = (
            f'the server of {model.name} has no such model or address; ai.model.{model.name}.name is "{model.called}"'
        )
        return Unanswered("not_found", sentence)
    if status == 429:
        return Unanswered("rate_limited", f"{model.name} has been asked too often just now", retryable=True)
    return Unanswered(f"http_{status}", f"the server of {model.name} answered {status}", retryable=status >= 500)


def _misread(model: Model) -> Unanswered:
    return Unanswered("bad_answer", f"{model.name} answered with what is no answer", retryable=True)


class _Bounded(httpx2.AsyncHTTPTransport):
    """Connects as usual, and reads no more than an answer may have; packed ones could be any size."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request."""
        response = await super().handle_async_request(request)
        if response.headers.get("content-encoding", "identity").casefold() != "identity":
            await response.aclose()
            raise httpx2.RemoteProtocolError("the answer is packed, which was not asked for", request=request)
        assert isinstance(response.stream, httpx2.AsyncByteStream)  # noqa: S101  the transport makes no other
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_Counted(response.stream, request),
            extensions=response.extensions,
        )


class _Counted(httpx2.AsyncByteStream):
    """A body that ends with an error where it is too long."""

    def __init__(self, inner: httpx2.AsyncByteStream, request: httpx2.Request) -> None:
        self._inner = inner
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for chunk in self._inner:
            read += len(chunk)
            if read > MOST_BYTES:
                raise httpx2.ReadError(f"the answer has more than {MOST_BYTES:,} bytes", request=self._request)
            yield chunk

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._inner.aclose()

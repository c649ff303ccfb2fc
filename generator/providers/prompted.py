"""A provider over an endpoint: writes the prompt, reads the text that comes back. The text is untrusted."""

from __future__ import annotations

import re

from generator.llm.answer import only_object, read_answer
from generator.llm.prompt import build_prompt
from generator.matcher.request import BadAnswer, Privacy, ProviderError, Request
from generator.providers import Answer, Completion, Endpoint, Provider
from generator.violation import Violation
from generator.visible import plain

# Failures that the next layout would only meet again.
LASTING = frozenset({"401", "403", "404", "quota", "unreachable"})
FENCE = re.compile(r"```(?:json)?\s*(\{.*\})\s*```", re.DOTALL)


class PromptedProvider(Provider):
    """Asks an LLM behind `endpoint`. `functions` lists the SQL functions for the prompt."""

    def __init__(self, endpoint: Endpoint, functions: str, privacy: Privacy, at_once: int) -> None:
        self.name = endpoint.name
        self.at_once = at_once
        self._endpoint = endpoint
        self._functions = functions
        self._privacy = privacy
        self._gone: ProviderError | None = None

    def propose(self, request: Request) -> Answer:
        """One call. ProviderError, one line, where the endpoint cannot answer; BadAnswer for what is no candidate."""
        if self._gone:
            raise ProviderError(f"not asked again: {self._gone}", tries=0, kind=self._gone.kind)
        prompt = build_prompt(request, self._functions, self._privacy)
        try:
            completion = self._endpoint.complete(prompt)
        except ProviderError as error:
            self._gone = error if error.kind in LASTING else None
            raise
        usage = completion.usage
        tokens, cost = (usage.tokens, usage.cost) if usage else (0, 0.0)
        try:
            text, ignored = _object_in(completion)
            candidate = read_answer(text, request)
        except ProviderError as error:
            raise type(error)(str(error), tokens=tokens, cost=cost) from None
        notices = completion.notices
        if ignored:
            notices += (f"{completion.llm} ignored the answer format; the one JSON object in its text was read",)
        return Answer(candidate, completion.llm, tokens, cost, prompt.version, notices)

    def judged(self, request: Request, violations: tuple[Violation, ...]) -> None:
        """Passed on."""
        self._endpoint.judged(request, violations)

    def finished(self) -> None:
        """Passed on."""
        self._endpoint.finished()


def _object_in(completion: Completion) -> tuple[str, bool]:
    """The JSON text of an answer, and whether it had to be found between other text."""
    stripped = completion.text.strip()
    if completion.finish == "filtered":
        said = plain(stripped or "content filter", 200)
        raise ProviderError(f"{completion.llm} refused to answer ({said}); try another OPENAI_MODEL")
    if completion.finish == "length":
        raise BadAnswer("the answer was cut off at the token limit; answer shorter, with notes of a few words")
    if not stripped:
        raise BadAnswer("the answer is empty; answer with the JSON object")
    if stripped.startswith("{") and stripped.endswith("}"):
        return stripped, False
    fenced = FENCE.fullmatch(stripped)
    return (fenced[1] if fenced else only_object(stripped)), True

"""What tokens cost: by the project's `llm_prices`, else by the genai-prices library, whose table is part of its package."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

import genai_prices

from generator.budget import Price


def cost(
    llms: tuple[str, ...], host: str, tokens_in: int, tokens_out: int, prices: Mapping[str, Price]
) -> float | None:
    """US dollars for a call of an LLM with these names (as it was asked for, as it answered); None: no price is known.

    The dearest of the names counts, and cached input in full. On this machine an LLM that has no price is free; one that
    has may be that of a proxy.
    """
    for llm in llms:
        if llm in prices:
            return prices[llm].of(tokens_in, tokens_out)
    usage = genai_prices.Usage(input_tokens=tokens_in, output_tokens=tokens_out)
    known = [usd for llm in llms if (usd := _listed(usage, llm, host)) is not None]
    return max(known, default=0.0 if _is_local(host) else None)


def _is_local(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        address = ipaddress.ip_address(host)
        return address.is_loopback or address.is_unspecified
    except ValueError:
        return host == "localhost"


def _listed(usage: genai_prices.Usage, llm: str, host: str) -> float | None:
    """The price of the library: of the provider at that host, else of whoever makes an LLM of that name."""
    for url in (f"https://{host}/v1", None):
        try:
            return float(genai_prices.calc_price(usage, llm, provider_api_url=url).total_price)
        except LookupError:
            continue
    return None

"""A candidate: what a provider answers for one layout and one contract.

It is untrusted input, whoever wrote it. `checks` judges it, `render` turns it into a dbt model.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class _Strict(BaseModel):
    """Unknown fields are refused: an answer with extra fields answers another question."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ColumnMapping(_Strict):
    """How one gold column is made.

    `expression` is one SQL expression over the layout's safe column names, or None: the column stays NULL.
    `source_columns` are safe column names, in the order in which they matter. `confidence` is 0 to 1.
    `note` says why, above all why not.
    """

    expression: str | None = None
    source_columns: tuple[str, ...] = ()
    confidence: float = Field(default=0.0, ge=0.0, le=1.0)
    note: str = ""


class Question(_Strict):
    """Something only a person can decide; a layout with an open question is held.

    `column` is a gold column, `readings` the possible answers in words.
    """

    column: str
    text: str
    readings: tuple[str, ...] = ()


class Candidate(_Strict):
    """One answer for one layout.

    `columns` has one entry for each gold column. `row_filter` is a SQL condition for the rows that are kept
    (None: all of them), `row_filter_note` says what the others are. `reshape` is one SELECT over the relation
    `source` that replaces it (None: no reshaping) and must pass on `_file_id`, `_source_file`, `_source_row`.
    `unmapped` says for each source column left out why it is.
    """

    columns: dict[str, ColumnMapping]
    row_filter: str | None = None
    row_filter_note: str = ""
    reshape: str | None = None
    unmapped: dict[str, str] = Field(default_factory=dict)
    questions: tuple[Question, ...] = ()


class Provenance(BaseModel):
    """Who made a mapping: written into the yml beside the dbt model. Tokens are counts, cost is US dollars.

    `others` are the gold columns that another one mapped: the offline matcher, where the provider could not so that they
    passed, or whoever made the known dbt model that they were taken over from.
    """

    # It is read from yml files, too, to which people may add.
    model_config = ConfigDict(extra="ignore", frozen=True)

    provider: str = ""
    llm: str | None = None
    prompt_version: str | None = None
    attempts: int = 0
    tokens: int = 0
    cost: float = 0.0
    others: dict[str, str] = Field(default_factory=dict)

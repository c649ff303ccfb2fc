"""The HTML report: every number is on the page, what is wrong is loud, and hostile text is inert."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from generator.difference import CellChange, ColumnChange, Difference, RowExample
from generator.errors import UsageError
from generator.outcome import Failure, FileOutcome, LayoutOutcome, MappedColumn, Preview, RunOutcome
from generator.report.html import KINDS, flow, render_report, share, visible, write_report

VOID = {"meta", "br", "wbr", "link", "img", "input", "base"}
SVG_SHAPES = {"path", "rect"}

GOLD = FileOutcome(
    source_file="landing/bank_transactions/sparkasse/umsatz.csv",
    state="gold",
    contract="bank_transactions",
    source="sparkasse",
    layout="3f2a9c1e",
    mapping="cached",
    provider="offline",
    review="approved",
    encoding="cp1252",
    delimiter=";",
    rows_read=1234,
    rows_gold=1187,
    rows_superseded=22,
    rows_quarantined=11,
    rows_filtered=9,
    rows_rejected=5,
    reasons=(("amount: cannot be read", 7), ("booked_on: is empty", 4)),
)
HELD = FileOutcome(
    source_file="n26.csv",
    state="held",
    message="the dates can be read in two ways",
    contract="bank_transactions",
    source="n26",
    layout="77aa01bc",
    mapping="generated",
    provider="openai",
    review="pending",
    encoding="utf-8",
    delimiter="\t",
    rows_read=842,
    rows_quarantined=842,
    reasons=(("amount: cannot be read", 842),),
    questions=("booked_on: the 1st of February or the 2nd of January?",),
    remarks=("line 14: a quote that opens a cell and is not closed is kept as text",),
)
REFUSED = FileOutcome(source_file="photo.csv", state="refused", message="this is a PNG image; export it as CSV")
MAPPED = MappedColumn(
    name="booked_on",
    data_type="date",
    source_columns=("Buchungstag",),
    expression="parse_date(buchungstag, '%d.%m.%y')",
    confidence=0.97,
    note="Not `Valutadatum`.",
    samples=(("31.01.24", "2024-01-31"),),
)
LAYOUT = LayoutOutcome(
    layout="77aa01bc",
    dbt_model="stg_n26__bank_transactions_77aa01bc",
    source="n26",
    contract="bank_transactions",
    state="held",
    review="pending",
    provider="openai",
    path="models/staging/n26/stg_n26__bank_transactions_77aa01bc.sql",
    columns=(MAPPED, MappedColumn("balance", "decimal(18,2)", (), "", None, "No running balance.")),
    unmapped=(("Valutadatum", "the value date"), ("BIC", "no gold column"), ("Mandat", "no gold column")),
    questions=("booked_on: which day?",),
)
RUN = RunOutcome(
    files=(GOLD, HELD, REFUSED),
    layouts=(LAYOUT,),
    gold=(Preview("gold.bank_transactions", ("amount", "memo"), (("-12.50", "Miete"), ("3.00", "")), 1187),),
    quarantine=(Preview("quarantine.bank_transactions", ("_source_row", "raw"), (("17", '{"betrag": "x"}'),), 11),),
    notices=("Provider: offline, because OPENAI_API_KEY is not set.",),
    failures=(Failure("dbt test not_null failed"),),
)

HOSTILE = (
    "<script>alert(1)</script>",
    "{{7*7}}{% raw %}{# x #}",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "</style><style>*{display:none}</style>",
    "</title></svg><svg onload=alert(1)>",
    "\x1b[31mred\x1b]8;;http://evil\x07",
    "cv\u202efdp.exe\u2066\u200f",
    "null\x00byte\x85\u2028line\ud800",
    "`<b>bold</b>`",
    "z" + "\u0301" * 400,
    "x" * 100_000,
)


@dataclass
class Node:
    """An element of the page."""

    tag: str
    attrs: dict[str, str]
    children: list[Node | str] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        """This element and all below it, in the order of the page."""
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.walk()

    def find(self, tag: str, **attrs: str) -> list[Node]:
        """Elements with this tag and these attributes; of a class, one of its words is enough."""
        wanted = {name.rstrip("_"): value for name, value in attrs.items()}
        return [
            node
            for node in self.walk()
            if node.tag == tag and all(value in node.attrs.get(name, "").split(" ") for name, value in wanted.items())
        ]

    @property
    def text(self) -> str:
        """The text of the element, blanks collapsed."""
        parts = [child if isinstance(child, str) else child.text for child in self.children]
        return " ".join("".join(parts).split())


class Tree(HTMLParser):
    """Parse a page and insist that it is well formed: every element closed, in order."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("root", {})
        self.open = [self.root]
        self.feed(page)
        self.close()
        assert self.open == [self.root], f"not closed: {[node.tag for node in self.open[1:]]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute twice: {attrs}"
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in SVG_SHAPES
        self.open[-1].children.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def page(outcome: RunOutcome, title: str = "Goldsmith run") -> Node:
    return Tree(render_report(outcome, title)).root


def elements(root: Node) -> Counter[str]:
    """How many elements of each kind a page has, without breaks and code."""
    return Counter(node.tag for node in root.walk() if node.tag not in ("wbr", "code"))


def hostile_run(text: str) -> RunOutcome:
    """A run in which every text is this one."""
    file = dataclasses.replace(
        HELD,
        source_file=text,
        message=text,
        contract=text,
        source=text,
        layout=text,
        provider=text,
        review=text,
        encoding=text,
        delimiter=text,
        reasons=((text, 842),),
        questions=(text,),
        remarks=(text,),
    )
    column = MappedColumn(text, text, (text, text), text, 0.5, text, ((text, text),))
    layout = LayoutOutcome(text, text, text, text, text, text, text, text, (column,), ((text, text),), (text,))
    table = Preview(text, (text, text), ((text, text),), 1)
    change = ColumnChange(text, 1, 0, 1, 1, 0, (CellChange(text, 1, text, None),))
    row = RowExample(text, 1, {text: text}, (text,))
    difference = Difference(
        text, text, text, text, 1, 1, 1, 1, (row,), (row,), (change,), 1, 1, ((text, 1),), failed_tests=(text,)
    )
    return RunOutcome((file,), (layout,), (table,), (table,), (text,), (Failure(text),), differences=(difference,))


def test_the_same_run_gives_the_same_page() -> None:
    assert render_report(RUN, "t") == render_report(RUN, "t")


def test_header_sums_up_the_run() -> None:
    header = page(RUN, "Run 7").find("header")[0]
    assert header.find("h1")[0].text == "Run 7"
    assert header.find("p", class_="summary")[0].text == (
        "3 files: 1 in gold, 1 held for review, 1 refused. Every one of the 2,076 rows read is accounted for."
    )
    assert [tile.text for tile in header.find("li", class_="tile")] == [
        "files 3",
        "rows read 2,076",
        "gold 1,187",
        "superseded 22",
        "quarantined 853",
        "filtered 9",
        "rejected 5",
        "unreviewed layouts 1",
    ]
    assert "Provider: offline, because OPENAI_API_KEY is not set." in header.text
    assert "dbt test not_null failed" in header.find("section", class_="bad")[0].text


def test_what_waits_for_a_person_is_listed_with_links_that_exist() -> None:
    root = page(RUN)
    waiting = root.find("section", class_="warn")[0]
    links = {link.text: link.attrs["href"] for link in waiting.find("a")}
    assert links == {
        "n26.csv": "#file-2",
        "photo.csv": "#file-3",
        "Mapping stg_n26__bank_transactions_77aa01bc": "#layout-1",
    }
    identifiers = [node.attrs["id"] for node in root.walk() if "id" in node.attrs]
    assert len(identifiers) == len(set(identifiers))
    assert {link.attrs["href"][1:] for link in root.find("a")} <= set(identifiers)


def test_every_number_of_every_file_is_shown() -> None:
    root = page(RUN)
    for row, card, file in zip(
        root.find("table", class_="overview")[0].find("tbody")[0].find("tr"),
        root.find("article"),
        RUN.files,
        strict=False,
    ):
        counts = {kind: getattr(file, f"rows_{kind}") for kind in KINDS}
        assert row.find("th")[0].text == file.source_file
        assert [cell.text for cell in row.find("td", class_="n")] == [
            f"{n:,}" for n in (file.rows_read, *counts.values())
        ]
        bands = [item.text for item in card.find("ul")[0].find("li")] if file.rows_read else []
        assert bands == [f"{n:,} {kind} {share(n, file.rows_read)}" for kind, n in counts.items() if n]
        for picture in card.find("svg"):
            assert picture.attrs["aria-label"] == picture.find("title")[0].text
            assert all(f"{n:,} {kind}" in picture.attrs["aria-label"] for kind, n in counts.items() if n)


def test_a_file_shows_how_it_was_read_and_mapped() -> None:
    gold, held, refused = page(RUN).find("article")[:3]
    assert gold.find("dl")[0].text == (
        "Contractbank_transactionsSourcesparkasse"
        "Layout3f2a9c1eMappingfrom the cache, made by offlineReview✓ approvedEncodingcp1252Delimitersemicolon"
    )
    assert "✓ balanced" in gold.text
    assert "in gold" in gold.find("h3")[0].text
    assert [item.text for item in gold.find("ul", class_="reasons")[0].find("li")] == [
        "7 amount: cannot be read",
        "4 booked_on: is empty",
    ]
    assert [item.text for item in held.find("ul", class_="remarks")[0].find("li")] == list(HELD.remarks)
    assert "generated now by openai" in held.text
    assert "Delimitertab" in held.text
    assert held.find("a")[0].attrs["href"] == "#layout-1"
    assert "the 1st of February or the 2nd of January?" in held.find("div", class_="question")[0].text
    assert "this is a PNG image" in refused.text
    assert "No rows were read." in refused.text


@pytest.mark.parametrize(("rows_gold", "told"), [(1180, "7 missing"), (1190, "3 more than were read")])
def test_rows_that_do_not_add_up_are_loud(rows_gold: int, told: str) -> None:
    wrong = dataclasses.replace(GOLD, rows_gold=rows_gold)
    root = page(RunOutcome(files=(HELD, wrong)))
    card = root.find("article")[1]
    assert "wrong" in card.attrs["class"]
    assert told in card.find("p", class_="alarm")[0].text
    assert not card.find("p", class_="balanced")
    assert "do not add up" in root.find("p", class_="summary")[0].text
    assert "does not add up" in root.find("section", class_="warn")[0].find("li")[0].text


def test_two_errors_that_cancel_out_are_still_loud() -> None:
    less, more = (dataclasses.replace(GOLD, rows_gold=GOLD.rows_gold + step) for step in (-3, 3))
    overview = page(RunOutcome(files=(less, more))).find("div", class_="card")[0]
    assert "Does not add up: the rows of 2 files" in overview.text
    assert "balanced" not in overview.text


def test_a_mapping_shows_expression_confidence_and_samples() -> None:
    card = page(RUN).find("article")[3]
    assert "Unreviewed." in card.find("p", class_="unreviewed")[0].text
    assert "booked_on: which day?" in card.find("div", class_="question")[0].text
    mapped, unmade = card.find("tbody")[0].find("tr")
    assert mapped.find("th")[0].text == "booked_on date"
    assert [cell.text for cell in mapped.find("td")] == [
        "Buchungstag",
        "parse_date(buchungstag, '%d.%m.%y')Not Valutadatum.",
        "confidence 0.97 of 10.97",
        "31.01.24 → 2024-01-31",
    ]
    assert mapped.find("rect", class_="level")[0].attrs["width"] == "97.0"
    assert "stays NULL" in unmade.text
    groups = card.find("dl", class_="unmapped")[0]
    assert [node.text for node in groups.find("dt")] == ["Valutadatum", "BIC Mandat"]
    assert [node.text for node in groups.find("dd")] == ["the value date", "no gold column"]


def test_an_approved_mapping_is_not_called_unreviewed() -> None:
    root = page(dataclasses.replace(RUN, layouts=(dataclasses.replace(LAYOUT, review="approved"),)))
    assert not root.find("p", class_="unreviewed")
    assert root.find("li", class_="tile")[-1].text == "unreviewed layouts 0"


def test_quarantine_reasons_are_added_up_over_all_files() -> None:
    section = next(node for node in page(RUN).find("section") if node.attrs.get("aria-labelledby") == "quarantine")
    rows = section.find("tbody")[0].find("tr")
    assert [row.text for row in rows] == [
        f"849amount: cannot be read{GOLD.source_file}, n26.csv",
        f"4booked_on: is empty{GOLD.source_file}",
    ]
    assert '{"betrag": "x"}' in section.text


def test_previews_say_how_much_of_the_table_they_are() -> None:
    table = page(RUN).find("table", class_="preview")[-1]
    assert table.find("caption")[0].text == "gold.bank_transactions 2 of 1,187 rows"
    assert [row.text for row in table.find("tbody")[0].find("tr")] == ["-12.50Miete", "3.00(empty)"]


def test_an_empty_run_says_what_to_do() -> None:
    root = page(RunOutcome())
    assert root.find("p", class_="summary")[0].text == "Nothing to do: no files were found."
    assert "landing/<contract>/<source>/" in root.find("main")[0].text
    assert not any(root.find(tag) for tag in ("table", "svg", "a", "nav"))


def test_a_run_over_known_files_says_so() -> None:
    known = FileOutcome(source_file="a.csv", state="known")
    assert page(RunOutcome(files=(known, known))).find("p", class_="summary")[0].text == (
        "Nothing new: 2 files, loaded before."
    )


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_inert_wherever_it_stands(text: str) -> None:
    plain = page(hostile_run("plain"), "plain")
    html = render_report(hostile_run(text), text)
    root = Tree(html).root
    # the page's own: titles on cut texts, breaks in paths, code between backticks; otherwise the very same elements
    assert elements(root) == elements(plain)
    own = {name for node in plain.walk() for name in node.attrs} | {"title"}
    assert {name for node in root.walk() for name in node.attrs} <= own
    assert all(node.attrs["href"].startswith("#") for node in root.walk() if "href" in node.attrs)
    assert all(node.attrs["style"].startswith("height:") for node in root.walk() if "style" in node.attrs)
    forbidden = {char for char in html if char != "\n" and unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert forbidden == set()
    assert len(html) < 700_000
    assert "49" not in root.find("h1")[0].text


def test_what_hides_or_reorders_is_made_visible() -> None:
    assert visible("cv\u202efdp.exe\ufeff\x1b[0m\x00") == "cv⟨U+202E⟩fdp.exe⟨U+FEFF⟩⟨U+001B⟩[0m⟨U+0000⟩"
    assert visible("two\nlines\tand\xa0blanks") == "two↵lines⇥and\xa0blanks"
    assert visible("مرحبا \u0928\u094d\u200d\u092f 👩\u200d👧 Zürich e\u0301") == (
        "مرحبا \u0928\u094d\u200d\u092f 👩\u200d👧 Zürich e\u0301"
    )
    assert visible(7) == 7


def test_the_page_needs_nothing_from_elsewhere() -> None:
    html = render_report(RUN, "t")
    root = Tree(html).root
    policy = next(node for node in root.find("meta") if "http-equiv" in node.attrs)
    assert policy.attrs["content"] == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert all(word not in html for word in ("//", "@import", "url("))
    assert not any(name == "src" or name.startswith("on") for node in root.walk() for name in node.attrs)


def test_headings_tables_and_pictures_are_accessible() -> None:
    root = page(RUN)
    levels = [int(node.tag[1]) for node in root.walk() if node.tag in ("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert root.find("table")
    assert all(table.find("caption") for table in root.find("table"))
    assert all(node.attrs["scope"] in ("col", "row") for node in root.find("th"))
    assert all(node.attrs.get("aria-label") and node.find("title") for node in root.find("svg"))


def test_the_picture_shows_rows_that_are_missing() -> None:
    picture = flow(100, (("gold", 96), ("rejected", 1)))
    assert [(band.kind, band.rows) for band in picture.bands] == [("gold", 96), ("rejected", 1), ("unaccounted", 3)]
    assert picture.text == "100 rows read: 96 gold, 1 rejected, 3 unaccounted"


def test_the_picture_keeps_small_bands_visible_and_labels_apart() -> None:
    picture = flow(1_000_000, (("gold", 999_999), ("quarantined", 0), ("rejected", 1)))
    assert [(band.kind, band.share) for band in picture.bands] == [("gold", "> 99.9 %"), ("rejected", "< 0.1 %")]
    assert all(band.size > 0.1 and band.slot >= 1.6 for band in picture.bands)
    assert picture.height == pytest.approx(sum(band.slot for band in picture.bands), abs=0.02)


def test_a_report_is_written_in_one_step_and_replaces_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    path = write_report(RUN, folder, "latest")
    assert path == folder / "latest.html"
    assert "Goldsmith latest" in path.read_text(encoding="utf-8")
    write_report(RunOutcome(), folder, "latest")
    assert "no files were found" in path.read_text(encoding="utf-8")
    assert list(folder.iterdir()) == [path]


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file", encoding="utf-8")
    with pytest.raises(UsageError, match=r"cannot write the report .*latest\.html: .*; make the folder writable"):
        write_report(RUN, tmp_path / "reports", "latest")

"""The encoding is told from the bytes, every byte is readable in it, and nothing is ever replaced."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator import encoding
from generator.encoding import detect_encoding
from generator.errors import GoldsmithError

GERMAN = "Buchungstag;Empfänger;Verwendungszweck\n01.02.2024;Café Müller & Söhne;Größe: 5 €, „Frühstück“\n"
FRENCH = "Date;Libellé;Débit\n01/02/2024;Chèque n° 12 – reçu à Besançon, où l'été dure;5,00\n"
POLISH = "Data;Opis\n" + "2024-02-01;Zażółć gęślą jaźń, opłata za łącze w Łodzi i świąteczną kolację\n" * 4
CZECH = "Datum;Částka;Měna;Protiúčet\n01.02.2024;-5,00;CZK;Příklad s.r.o.\n"
HUNGARIAN = "Dátum;Összeg;Közlemény\n2024.02.01;-5,00;Fizetési kötelezettség, űrlap\n"
TURKISH = "Tarih;Açıklama;Tutar\n01.02.2024;Alışveriş ödemesi, İstanbul şubesi;-5,00\n"
ICELANDIC = "Dagsetning;Skýring;Upphæð\n01.02.2024;Greiðsla fyrir þjónustu í Reykjavík;-5,00\n"
RUSSIAN = "Дата;Описание операции\n" + "01.02.2024;Перевод средств на карту, зачисление заработной платы\n" * 4
CHINESE = "交易日期,交易金额,对方户名,摘要\n" + "2024-02-01,128.50,北京市海淀区超市有限公司,购买日用品和食品\n" * 6
JAPANESE = "取引日,お支払金額,お取引内容\n" + "2024-02-01,1280,東京都のスーパーでのお買い物とコーヒー\n" * 6


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.csv"


@pytest.mark.parametrize(
    ("text", "written", "found"),
    [
        ("a,b\n1,2\n", "ascii", {"utf-8"}),
        (GERMAN, "utf-8", {"utf-8"}),
        (GERMAN, "utf-8-sig", {"utf-8-sig"}),
        (GERMAN, "utf-16", {"utf-16"}),
        (GERMAN, "utf-32", {"utf-32"}),
        (GERMAN, "utf-16-le", {"utf-16-le"}),
        (GERMAN, "utf-16-be", {"utf-16-be"}),
        (GERMAN, "cp1252", {"cp1252"}),
        (FRENCH, "cp1252", {"cp1252"}),
        (FRENCH.replace("–", "-"), "latin-1", {"cp1252"}),
        ("Name;Größe\n", "mac_roman", {"mac_roman"}),
        ("Name;Straße;Größe\n", "cp850", {"cp850"}),
        ("Name,Amount\nTesco,£5.00\n", "cp1252", {"cp1252"}),
        ("ID;Nombre\n1;Peña\n", "cp1252", {"cp1252"}),
        ("Date;Montant\n01/02/2024;5\u00a0000,00\n", "cp1252", {"cp1252"}),
        ("Name;Preis\nMüller;5 €\n", "iso8859_15", {"iso8859_15"}),
        (ICELANDIC, "cp1252", {"cp1252"}),
        (CZECH, "cp1250", {"cp1250"}),
        (CZECH + "03.02.2024;-5,00;CZK;Žluťoučký kůň\n", "iso8859_2", {"iso8859_2"}),
        (HUNGARIAN, "cp1250", {"cp1250"}),
        (POLISH, "cp1250", {"cp1250"}),
        (TURKISH, "cp1254", {"cp1254"}),
        (RUSSIAN, "cp1251", {"cp1251"}),
        (RUSSIAN, "koi8-r", {"koi8_r"}),
        (CHINESE, "gb18030", {"gb18030"}),
        (CHINESE, "gbk", {"gb18030"}),
        (JAPANESE, "shift_jis", {"shift_jis", "cp932"}),
        (JAPANESE, "euc_jp", {"euc_jp"}),
    ],
)
def test_a_file_is_read_in_the_encoding_in_which_it_was_written(
    file: Path, text: str, written: str, found: set[str]
) -> None:
    file.write_bytes(text.encode(written))
    name = detect_encoding(file)
    assert name in found
    with file.open(encoding=name, newline="") as opened:
        assert opened.read() == text


@pytest.mark.parametrize("bom", [codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE])
def test_a_byte_order_mark_tells_big_endian(file: Path, bom: bytes) -> None:
    wide = "utf-16-be" if len(bom) == 2 else "utf-32-be"
    file.write_bytes(bom + GERMAN.encode(wide))
    assert file.read_text(encoding=detect_encoding(file)) == GERMAN


@pytest.mark.parametrize("position", [0, 1, 100, encoding._SAMPLE + 10, 2 * encoding._CHUNK + 1])
def test_a_western_letter_is_found_wherever_it_stands(file: Path, position: int) -> None:
    line = b"2024-02-01,groceries,5.00\n"
    data = line * (position // len(line) + 2)
    file.write_bytes(data[:position] + "ä".encode("cp1252") + data[position + 1 :])
    assert detect_encoding(file) == "cp1252"


@pytest.mark.parametrize("position", [0, 3, 100, encoding._CHUNK - 4, encoding._CHUNK - 3, encoding._CHUNK + 7])
@pytest.mark.parametrize("text", ["x", "€"])
def test_a_byte_that_breaks_a_marked_encoding_is_reported_with_its_offset(file: Path, position: int, text: str) -> None:
    before = text.encode() * (position // len(text.encode()))
    offset = len(codecs.BOM_UTF8 + before)
    file.write_bytes(codecs.BOM_UTF8 + before + b"\xff" + b"end" * 10)
    with pytest.raises(GoldsmithError, match=rf"^byte 0xff at offset {offset} is not utf-8-sig"):
        detect_encoding(file)


@pytest.mark.parametrize("name", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "shift_jis", "euc_kr", "big5"])
@pytest.mark.parametrize("cut", [1, 2, 3, 5, 64])
def test_the_first_wrong_byte_does_not_depend_on_how_the_file_is_read(
    file: Path, monkeypatch: pytest.MonkeyPatch, name: str, cut: int
) -> None:
    text = {"gb18030": CHINESE, "shift_jis": JAPANESE, "euc_kr": "한국어 은행\n" * 5, "big5": "中文銀行\n" * 5}.get(
        name, GERMAN
    )
    good = text.encode(name)
    bad = "\ud800".encode("utf-16-le", "surrogatepass") + b"ab" if name == "utf-16" else b"\xff\xff,"
    file.write_bytes(good + bad)
    monkeypatch.setattr(encoding, "_CHUNK", cut)
    assert encoding._first_error(file, name) == len(good)
    file.write_bytes(good)
    assert encoding._first_error(file, name) is None


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty; nothing to load"),
        (b" \r\n\t\n", "the file is empty; nothing to load"),
        (b"PK\x03\x04rest", "this is no CSV file but a zip archive or an Excel workbook; save the sheet as CSV"),
        (b"\x1f\x8b\x08rest", "this is no CSV file but a gzip archive; unpack it first"),
        (b"%PDF-1.7\n", "this is no CSV file but a PDF"),
        (b"\xd0\xcf\x11\xe0rest", "this is no CSV file but an old Excel or Word file; save the sheet as CSV"),
        (b"\x89PNG\r\n", "this is no CSV file but a picture"),
        (b"SQLite format 3\x00", "this is no CSV file but a SQLite database"),
        (b"PAR1....", "this is no CSV file but a Parquet file"),
        (b"a,b\n1,\x00\n2,3\n", "binary data: a NUL byte at offset 6; this is no text file"),
    ],
)
def test_what_is_no_text_is_refused_with_what_it_is(file: Path, data: bytes, message: str) -> None:
    file.write_bytes(data)
    with pytest.raises(GoldsmithError) as refused:
        detect_encoding(file)
    assert str(refused.value) == message


@given(st.text(min_size=1), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
def test_any_text_in_unicode_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, text: str, name: str
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.csv"
    file.write_bytes(text.encode(name))
    try:
        found = detect_encoding(file)
    except GoldsmithError:
        assert not text.strip() or "\x00" in text
        return
    assert file.read_bytes().decode(found) == text.removeprefix("\ufeff" if name == "utf-8" else "")


WORDS = {
    "cp1252": [
        *(
            "Währung Größe Überweisung Gebühr Straße Müller Café 5€ 7%",
            "Libellé Débit Chèque reçu Besançon été n°5 Noël",
        ),
        *("Descripción año España ¿qué? José crédito", "Descrição não cartão saída ações", "Città perché più Cefalù"),
        *("Beløb Købmand på Strøget", "Bokföringsdag Mottagare Åhléns", "Amount £5.00 it’s “fine” – ok"),
    ],
    "cp1250": ["Částka Měna Protiúčet příjemce žluťoučký kůň", "Tytuł Odbiorca łączność świąteczną jaźń Poznań"],
    "cp1254": ["Açıklama Alışveriş ödemesi İstanbul şubesi"],
}
LINES = [(name, words.split()) for name, lines in WORDS.items() for words in lines]


@given(st.sampled_from(LINES), st.data())
def test_any_short_text_of_one_language_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, line: tuple[str, list[str]], data: st.DataObject
) -> None:
    name, words = line
    # In which of its languages' encodings a single word stands, nobody can tell; a few words can.
    first = [] if name == "cp1252" else words
    chosen = first + data.draw(st.lists(st.sampled_from(words), min_size=1, max_size=12))
    text = data.draw(st.sampled_from([" ", ";", ",", "\n"])).join(chosen)
    file = tmp_path_factory.getbasetemp() / "language.csv"
    file.write_bytes(text.encode(name))
    assert file.read_bytes().decode(detect_encoding(file)) == text

"""The encoding is told from the bytes, every byte is readable in it, and nothing is ever replaced."""

from __future__ import annotations

import codecs
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from languages import LANGUAGES, Language, writable

from generator.dialect import decoding, encoding
from generator.dialect.codepages import SURE
from generator.dialect.encoding import detect_encoding
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
    name = detect_encoding(file).name
    assert name in found
    with file.open(encoding=name, newline="") as opened:
        assert opened.read() == text


@pytest.mark.parametrize("bom", [codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE])
def test_a_byte_order_mark_tells_big_endian(file: Path, bom: bytes) -> None:
    wide = "utf-16-be" if len(bom) == 2 else "utf-32-be"
    file.write_bytes(bom + GERMAN.encode(wide))
    assert file.read_text(encoding=detect_encoding(file).name) == GERMAN


@pytest.mark.parametrize("position", [0, 1, 100, encoding._HEAD + 10, 2 * decoding._CHUNK + 1])
def test_a_western_letter_is_found_wherever_it_stands(file: Path, position: int) -> None:
    line = b"2024-02-01,groceries,5.00\n"
    data = line * (position // len(line) + 2)
    file.write_bytes(data[:position] + "ä".encode("cp1252") + data[position + 1 :])
    assert detect_encoding(file).name == "cp1252"


@pytest.mark.parametrize("position", [0, 3, 100, decoding._CHUNK - 4, decoding._CHUNK - 3, decoding._CHUNK + 7])
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
    monkeypatch.setattr(decoding, "_CHUNK", cut)
    assert decoding.first_error(file, name) == len(good)
    file.write_bytes(good)
    assert decoding.first_error(file, name) is None


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
        found = detect_encoding(file).name
    except GoldsmithError:
        assert not text.strip() or "\x00" in text
        return
    assert file.read_bytes().decode(found) == text.removeprefix("\ufeff" if name == "utf-8" else "")


def refusal(file: Path, data: bytes) -> str:
    file.write_bytes(data)
    with pytest.raises(GoldsmithError) as refused:
        detect_encoding(file)
    return str(refused.value)


ROW = "2024-01-01;Müller & Söhne;Größe;5,00\n"


@pytest.mark.parametrize("rows", [1, 50, 9000])
@pytest.mark.parametrize("first", ["utf-8", "cp1252"])
def test_a_file_that_changes_its_encoding_is_refused_and_says_where(file: Path, rows: int, first: str) -> None:
    second = "cp1252" if first == "utf-8" else "utf-8"
    said = refusal(file, (ROW * rows).encode(first) + ROW.encode(second) * max(1, rows // 50))
    line = rows + 1 if first == "utf-8" else 1
    offset = len((ROW * rows).encode()) + 12 if first == "utf-8" else 12
    assert said.startswith(f"byte 0xfc at offset {offset}, line {line}, is not UTF-8, but 'Müller' in line ")
    assert f"in line {1 if first == 'utf-8' else rows + 1} is" in said
    assert said.endswith("made of two; save all of it as UTF-8, or load the parts as files of their own")


def test_half_a_character_within_unicode_is_refused_and_says_where(file: Path) -> None:
    before = (ROW * 50).encode()
    said = refusal(file, before + b"2024;Caf\xc3;5\n" + ROW.encode())
    assert said.startswith(f"byte 0xc3 at offset {len(before) + 8}, line 51, is not UTF-8, but 'Müller' in line 1 is: ")


@pytest.mark.parametrize(
    ("written", "rest", "byte"),
    [
        ("utf-8", b"M\xc3", "0xc3"),
        ("utf-8", b"5 \xe2\x82", "0xe2"),
        ("utf-8-sig", b"M\xc3", "0xc3"),
        ("utf-16", b"M", "0x4d"),
    ],
)
def test_a_file_that_was_cut_off_within_a_character_is_refused(
    file: Path, written: str, rest: bytes, byte: str
) -> None:
    data = (ROW * 50).encode(written)
    offset = len(data) + len(rest.rstrip(b"\xc3\xe2\x82")) * (len(rest) > 1)
    said = refusal(file, data + rest)
    assert said.startswith(f"the file ends within a character: byte {byte} at offset {offset}, line 51, begins one in ")
    assert said.endswith("; the file was cut off, get the whole of it")


def test_a_byte_that_the_encoding_does_not_have_is_refused_and_says_where(file: Path) -> None:
    before = (ROW * 50).encode("cp1252")
    assert refusal(file, before + b"x;\x81y;z\n") == (
        f"byte 0x81 at offset {len(before) + 2} is not cp1252, as the rest of the file is (line 51); correct it there, "
        "or save the file as UTF-8"
    )


def test_a_nul_byte_behind_the_head_is_found_too(file: Path) -> None:
    before = b"2024;Smith;5.00\n" * 200_000
    assert refusal(file, before + b"a\0b") == (
        f"binary data: a NUL byte at offset {len(before) + 1}; this is no text file"
    )


def test_a_mainframes_file_is_refused(file: Path) -> None:
    said = refusal(file, "DATE,NAME,AMOUNT\n2024,SMITH,5.00\n".encode("cp037") * 5)
    assert said == "this is EBCDIC, a mainframe's encoding; convert the file to UTF-8"


@pytest.mark.parametrize("seed", range(5))
def test_random_bytes_are_no_text(file: Path, seed: int) -> None:
    data = random.Random(seed).randbytes(9000).replace(b"\0", b"x")
    assert refusal(file, data).startswith(("no encoding reads it as words: byte 0x", "byte 0x"))


@pytest.mark.parametrize("wide", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize(
    "text", ["交易日期,对方户名\n2024-01-01,张伟\n", "Дата;Сумма\n2024;Москва\n", ROW, "a,b\n1,2\n"]
)
def test_unicode_without_a_mark_is_recognised_by_its_ascii(file: Path, wide: str, text: str) -> None:
    file.write_bytes(text.encode(wide))
    assert detect_encoding(file) == encoding.Encoding(wide)


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        ("cp1252", "cp850", "2024;Bürobedarf;Zürich;Währung\n"),
        ("cp1252", "mac_roman", "2024;Bürobedarf;Zürich;Währung\n"),
        ("cp1251", "koi8_r", "2024;Оплата услуг;Аренда;Продукты\n"),
    ],
)
def test_two_exports_in_two_encodings_are_not_read_in_silence(file: Path, first: str, second: str, text: str) -> None:
    file.write_bytes(text.encode(first) * 50 + text.replace("2024", "2025").encode(second) * 50)
    found = detect_encoding(file)
    assert found.certainty < SURE
    assert "which is not certain" in found.remark


@pytest.mark.parametrize(
    ("text", "written", "remark"),
    [
        ("Name\nMÃ¼ller\n", "utf-8", "'MÃ¼ller' may be 'Müller', written as UTF-8 twice; loaded as it stands"),
        ("Name;Ort\nM+APw-ller;x\n", "ascii", "'M+APw-ller' would be 'Müller' in utf-7; loaded as it stands"),
        ("日付,店\n", "iso2022_jp", "'\x1b$BF|IU\x1b(B' would be '日付' in iso2022_jp; loaded as it stands"),
        ("Name;Tel\n+49-170;+4917-12\nA+B-C;x+ABC-y;+ABCD-12\n", "ascii", ""),
        ("Name\nÃ la carte\nSÃO\n", "utf-8", ""),
    ],
)
def test_text_that_went_through_another_encoding_stands_as_it_is_with_a_remark(
    file: Path, text: str, written: str, remark: str
) -> None:
    file.write_bytes(text.encode(written))
    assert detect_encoding(file) == encoding.Encoding("utf-8", 1.0, remark)


def test_a_word_that_is_unicode_in_an_older_encoding_stands_as_it_is_with_a_remark(file: Path) -> None:
    words = "Müller;Größe;Sträßer;Bär;Käse;Öl;Übung;für;möglich;schön;Mädchen;Köln;Düsseldorf\n"
    file.write_bytes(words.encode("cp1252") + "Jörg\n".encode())
    assert detect_encoding(file) == encoding.Encoding(
        "cp1252",
        0.5,
        "read as cp1252, which is not certain: 'JÃ¶rg' in line 2 would be 'Jörg' in utf-8; if that is right, save the "
        "file as UTF-8",
    )


@pytest.mark.parametrize(
    ("text", "written", "sure"),
    [
        ("姓名\n张伟\n", "gbk", False),
        ("Oraş\n", "cp1250", False),
        ("Nume;Oraş\nŞtefan;Iaşi\n", "cp1250", True),
        ("ﾌﾘｺﾐ ﾔﾏﾀﾞﾀﾛｳ,1000\nｶﾌﾞｼｷｶﾞｲｼﾔ,20\n", "cp932", True),
        ("日付,お店\n10～20,大阪の店\n", "cp932", True),
        ("日付,お店\n①,大阪の店\n", "euc_jis_2004", True),
        ("日期,店\n恒裏,臺北市超市\n", "cp950", True),
    ],
)
def test_a_short_file_is_read_rightly_or_says_that_it_is_not_certain(
    file: Path, text: str, written: str, sure: bool
) -> None:
    file.write_bytes(text.encode(written))
    found = detect_encoding(file)
    assert file.read_bytes().decode(found.name) == text
    assert (found.certainty >= SURE) is sure
    assert bool(found.remark) is not sure


def test_a_doubtful_word_is_named_with_its_line(file: Path) -> None:
    file.write_bytes(b"id;name\n1;x\n2;Ora\xba\n")
    found = detect_encoding(file)
    assert found.remark.startswith(f"read as {found.name}, which is not certain: '")
    assert "' in line 3 would be '" in found.remark


@pytest.mark.parametrize(
    "data", [b"x" * 300_000 + b"\xe4", b"\xe4" + b"x" * 300_000, b"+" * 300_000, b"\xc3\xa4" * 99_999]
)
def test_an_endless_word_takes_no_time(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    detect_encoding(file)


@given(st.sampled_from([(x, e) for x in LANGUAGES for e in x.encodings]), st.data())
def test_any_words_of_a_language_come_back_or_are_said_to_be_uncertain(
    tmp_path_factory: pytest.TempPathFactory, case: tuple[Language, str], data: st.DataObject
) -> None:
    language, written = case
    chosen = data.draw(st.lists(st.sampled_from(language.phrases), min_size=1, max_size=20))
    text = writable(data.draw(st.sampled_from([" ", ";", ",", "\n", "\t"])).join(chosen), written)
    file = tmp_path_factory.getbasetemp() / "language.csv"
    file.write_bytes(text.encode(written))
    found = detect_encoding(file)
    assert file.read_bytes().decode(found.name) == text or (found.certainty < SURE and found.remark)

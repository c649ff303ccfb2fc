"""Invented clean tables: what a polluted file should come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Table:
    """A header and rows of its width. `typed`: some columns hold numbers or dates, so that a header can be told."""

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    typed: bool = True

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.header)

    def first(self, count: int) -> Table:
        """The same table with fewer rows."""
        return Table(self.name, self.header, self.rows[:count], self.typed)


_GOODS = (
    ("Lamp, brass", '5" pipe, steel; black'),
    ("Chair", "Oak, solid"),
    ("Table", 'The "round" one'),
    ("Shelf, low", "Three boards, 80 cm; no screws"),
    ("Mug", "Blue"),
    ("Hook", ""),
    ("Rope", "12 m | white"),
)
_COMMENTS = ("", 'Ann said "fine", then left', "call back", "", "fragile, this side up", "gift: no invoice", "")


def _order(i: int) -> tuple[str, ...]:
    category, description = _GOODS[i % 7]
    return (
        (date(2023, 1, 2) + timedelta(days=3 * i)).strftime("%m/%d/%Y"),
        f"{7 + i % 12:02}:{i * 7 % 60:02}",
        str(1 + i * 5 % 9) if i % 11 else "",
        f"AB-{1000 + 37 * i}",
        f"{5 + i * 13 % 90}.{i * 29 % 100:02}",
        category,
        description,
        f"https://shop.example.com/item?id={i}&ref=mail" if i % 5 else "",
        _COMMENTS[i * 3 % 7],
    )


ORDERS = Table(
    "orders",
    ("order date", "order time", "qty", "sku", "price", "category", "description", "link", "comment"),
    tuple(_order(i) for i in range(80)),
)

STATEMENT = Table(
    "statement",
    ("Date", "Payee", "Purpose", "Amount", "Balance"),
    tuple(
        (
            f"2024-03-{1 + i:02}",
            ("Baker, Main St.", "City Water", 'Inn "Zum Löwen"', "Ann Lee")[i % 4],
            ("rolls", "invoice 44; March", "", "rent, flat 5")[i * 3 % 4],
            f"{-3 * i - 1},{i * 17 % 100:02}" if i % 4 != 3 else f"{900 + i},00",
            f"{1000 - 7 * i},{i * 31 % 100:02}",
        )
        for i in range(14)
    ),
)

TEXTS = Table(
    "texts",
    ("name", "city", "animal", "note"),
    tuple(
        (
            ("Ann", "Bob", "Cy", "Di", "Eve")[i % 5] + " " + ("Reed", "Stone", "Hill")[i % 3],
            ("Rome", "Oslo", "New York, NY", "Bonn")[i % 4],
            ("cat", "dog", "hen")[i * 2 % 3],
            ("sleeps", "", "barks at night, often", "likes Bob's hat")[i * 3 % 4],
        )
        for i in range(15)
    ),
    typed=False,
)

UNICODE = Table(
    "unicode",
    ("№", "Größe", "商品名", "Описание", "цена"),
    tuple(
        (
            str(i + 1),
            ("groß", "klein; schmal", "übergroß")[i % 3],
            ("赤いランプ", "木の椅子, 小", "机", "🪑 椅子")[i % 4],
            ("чашка, синяя", "«крючок»", "верёвка — 12 м", "")[i * 3 % 4],
            f"{3 + i * 7 % 40}.{i * 37 % 100:02}",
        )
        for i in range(20)
    ),
)

TABLES = (ORDERS, STATEMENT, TEXTS, UNICODE)


def _ledger(names: Sequence[str], header: Sequence[str], texts: Sequence[str]) -> Table:
    rows = tuple(
        (f"{1 + i:02}.04.2024", names[i % len(names)], texts[i * 3 % len(texts)], f"-{i * 7 + 3},{i * 41 % 100:02}")
        for i in range(28)
    )
    return Table(header[1], tuple(header), rows)


# A table in a language, and the encodings in which that language is written outside Unicode.
LANGUAGES: tuple[tuple[Table, tuple[str, ...]], ...] = (
    (
        _ledger(
            ["Bäckerei Müller", "Stadtwerke Köln", "Gärtnerei Weiß", "Hörgeräte Schäfer"],
            ["Buchungstag", "Empfänger", "Verwendungszweck", "Betrag"],
            ["Brötchen für Gäste", "Abschlag März", "Blumenerde und Töpfe", "Prüfgebühr, jährlich"],
        ),
        ("cp1252", "latin-1", "iso8859-15", "mac_roman", "cp850"),
    ),
    (
        _ledger(
            ["Boulangerie Élise", "Électricité générale", "Café de la Forêt", "Crèche Noël"],
            ["Date", "Libellé", "Détail", "Montant"],
            ["Pain et gâteaux", "Facture réglée, février", "Déjeuner à deux", "Règlement reçu"],
        ),
        ("cp1252", "latin-1", "iso8859-15", "mac_roman"),
    ),
    (
        _ledger(
            ["Piekarnia Żółta", "Wodociągi Łódź", "Księgarnia Świt", "Gęś i Spółka"],
            ["Data", "Odbiorca", "Tytuł", "Kwota"],
            ["Bułki na śniadanie", "Opłata za wodę", "Książki, różne", "Zaległość z października"],
        ),
        ("cp1250", "iso8859-2"),
    ),
    (
        _ledger(
            ["Пекарня Заря", "Городские сети", "Книжный магазин", "Анна Иванова"],
            ["Дата", "Получатель", "Назначение", "Сумма"],
            ["Хлеб и булочки", "Оплата за воду, март", "Учебники", "Перевод средств"],
        ),
        ("cp1251", "koi8-r", "iso8859-5", "cp866"),
    ),
    (
        _ledger(
            ["Φούρνος Αυγή", "Ύδρευση Πόλης", "Βιβλιοπωλείο", "Άννα Παππά"],
            ["Ημερομηνία", "Δικαιούχος", "Αιτιολογία", "Ποσό"],
            ["Ψωμί και κουλούρια", "Λογαριασμός νερού, Μάρτιος", "Σχολικά βιβλία", "Μεταφορά χρημάτων"],
        ),
        ("cp1253", "iso8859-7"),
    ),
    (
        _ledger(
            ["Fırın Güneş", "Şehir Suyu", "Kitapçı Işık", "Ayşe Öztürk"],
            ["Tarih", "Alıcı", "Açıklama", "Tutar"],
            ["Ekmek ve çörek", "Su faturası, şubat", "Ders kitapları", "Gönderilen ödeme"],
        ),
        ("cp1254",),
    ),
    (
        _ledger(
            ["パン屋あけぼの", "市水道局", "本屋ひかり", "山田花子"],
            ["取引日", "支払先", "摘要", "金額"],
            ["朝食のパン", "水道料金、三月分", "教科書とノート", "振込手数料"],
        ),
        ("shift_jis", "cp932", "euc_jp"),
    ),
    (
        _ledger(
            ["晨光面包店", "市自来水公司", "光明书店", "王小明"],
            ["交易日期", "收款人", "用途说明", "交易金额"],
            ["早餐面包和牛奶", "三月份水费", "教科书和笔记本", "转账手续费"],
        ),
        ("gb18030", "gbk"),
    ),
    (
        _ledger(
            ["晨光麵包店", "市自來水公司", "光明書店", "王小明"],
            ["交易日期", "收款人", "用途說明", "交易金額"],
            ["早餐麵包和牛奶", "三月份水費", "教科書和筆記本", "轉帳手續費"],
        ),
        ("big5",),
    ),
    (
        _ledger(
            ["새벽 빵집", "시 수도국", "빛 서점", "김영희"],
            ["거래일자", "받는분", "적요", "거래금액"],
            ["아침 식사용 빵", "삼월 수도 요금", "교과서와 공책", "송금 수수료"],
        ),
        ("euc_kr", "cp949"),
    ),
)

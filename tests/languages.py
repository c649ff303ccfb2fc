"""Invented headers, names, cities and bank words in many languages, and the encodings each of them is written in."""

from __future__ import annotations

import random
import unicodedata
from dataclasses import dataclass

WESTERN = ("cp1252", "iso8859_1", "iso8859_15", "mac_roman", "cp850")
CENTRAL = ("cp1250", "iso8859_2", "cp852")
CYRILLIC = ("cp1251", "koi8_r", "iso8859_5", "cp866")


@dataclass(frozen=True)
class Language:
    """`header`: four cells; `words`: names, cities, bank words, as phrases; `encodings`: Python's names."""

    name: str
    encodings: tuple[str, ...]
    header: str
    words: str

    @property
    def phrases(self) -> list[str]:
        """The phrases between the commas of `words`."""
        return [w.strip() for w in self.words.split(",")]


LANGUAGES = (
    Language(
        "German",
        WESTERN,
        "Buchungstag|Empfänger|Verwendungszweck|Betrag",
        "Jürgen Müller, Bäckerei Schröder, Überweisung, Lastschrift Stromversorgung, Miete März, Gehalt, Köln, München,"
        "Düsseldorf, Weißenfels, Hauptstraße 5, Rückerstattung, Gebühr für Kontoführung, Käthe Großmann, Nürnberg,"
        "Dauerauftrag, Jörg Weiß, Öffentliche Verkehrsbetriebe, Ärztekammer,"
        "Grüße aus Zürich, Bürobedarf, Kartenzahlung",
    ),
    Language(
        "French",
        WESTERN,
        "Date opération|Libellé|Catégorie|Débit",
        "Chèque reçu, Boulangerie Lefèvre, Prélèvement électricité, Société Générale de chauffage, Besançon, Orléans,"
        "François Géraud, Hélène Côté, Virement émis, Frais bancaires, Carte bancaire, Loyer août, Rue de l'Hôpital,"
        "Impôts, Épicerie fine, Crédit immobilier, Théâtre, Pharmacie,"
        "Noël Béranger, Châlons, Remboursement santé, Forêt",
    ),
    Language(
        "Spanish",
        WESTERN,
        "Fecha operación|Descripción|Categoría|Importe",
        "José Muñoz, María Ibáñez, Panadería Núñez, Recibo de la luz, Nómina, A Coruña, Cádiz, Málaga, León, Gestión,"
        "Transferencia recibida, Año nuevo, Peluquería, Compañía eléctrica, Comisión, Teléfono móvil, Alquiler, Ángel,"
        "Íñigo Pérez, Supermercado, Farmacia, Préstamo, Devolución, Autónomos, Cajero automático, Señora Ordóñez",
    ),
    Language(
        "Portuguese",
        WESTERN,
        "Data|Descrição|Observações|Saldo disponível",
        "João Gonçalves, Conceição Araújo, Cartão de crédito, Pagamento, São Paulo,"
        "Brasília, Ações, Transferência, Pão,"
        "Padaria Três Irmãos, Salário, Férias, Depósito, Câmbio, Saúde, Farmácia, Guimarães, Avenida Paulista, Débito,"
        "Automóvel, Não identificado, Poupança, Água e esgoto, Comissão, Educação, Estação, Mercado, Título, Português",
    ),
    Language(
        "Italian",
        WESTERN,
        "Data valuta|Causale|Città|Disponibilità",
        "Niccolò Verità, Caffè Perù, Società Elettrica, Bonifico, Addebito, Forlì,"
        "Cantù, Attività, Pagamento, Stipendio,"
        "Macelleria Però, Affitto, Università, Più, Novità, Libertà, Martedì, Giovedì, Commissione, Qualità, Bolletta",
    ),
    Language(
        "Dutch",
        WESTERN,
        "Boekdatum|Tegenpartij|Omschrijving|Bedrag",
        "Café België, Zoë de Vries, Coördinatie, Huur, Salaris, Albert van Dijk, Reünie, Financiële dienst, Groningen,"
        "Coöperatie, Geïncasseerd, Hoeveelheid, Overboeking, Ruïne, Bankkosten, Patiënt, Tweeëntwintig, Privé, Utrecht",
    ),
    Language(
        "Danish",
        WESTERN,
        "Bogført|Modtager|Beløb|Saldo før",
        "Søren Kjærgaard, Åse Nørgaard, Købmand, Aalborg, Løn, Husleje, Overførsel, Rødovre, Helsingør, Gebyr, Mæglere,"
        "Bæredygtig Børnehave, Betaling, Århus, Næstved, Østerbro, Indkøb, Køge, Bageri, Forsikring, Kør grønt, Ærø",
    ),
    Language(
        "Norwegian",
        WESTERN,
        "Bokføringsdato|Beskrivelse|Beløp|Valuta",
        "Bjørn Ødegård, Tromsø, Ålesund, Lønn, Varekjøp, Gjøvik, Håkon Sæther,"
        "Strøm, Overføring, Bodø, Husleie, Nettbank,"
        "Råde, Forsikring, Gebyr, Kjøp, Tønsberg, Lærer, Vår, Skatt, Påske, Øyvind, Åpning, Mælk og brød",
    ),
    Language(
        "Swedish",
        WESTERN,
        "Bokföringsdag|Mottagare|Händelse|Belopp",
        "Åsa Sjöström, Göteborg, Lön, Överföring, Hyra, Malmö, Östersund, Köp,"
        "Kortköp, Räkning, Ängelholm, Björn Håkansson,"
        "Gåva, Återbetalning, Försäkring, Bensin, Räntor, Mjölk, Vårdcentral, Avgift, Skåne, Växjö, Ahlgren, Bröd",
    ),
    Language(
        "Finnish",
        WESTERN,
        "Kirjauspäivä|Saaja|Määrä|Viesti",
        "Jyväskylä, Hämäläinen, Mäkinen, Sähkölasku, Palkka, Vuokra, Pöytälä, Maksettu, Lähettäjä, Hyvää päivää, Työ,"
        "Kauppa, Siirto, Järvinen, Ääni, Öljy, Tampere, Vähittäiskauppa, Käteisnosto, Säästö, Helsinki, Päiväkoti",
    ),
    Language(
        "Icelandic",
        ("cp1252", "iso8859_1", "iso8859_15"),
        "Dagsetning|Skýring|Upphæð|Staða",
        "Guðrún Þórsdóttir, Reykjavík, Greiðsla, Laun, Leiga, Höfn í Hornafirði, Ólafur Sæmundsson, Færsla, Þjónusta,"
        "Ísafjörður, Matvörubúð, Æðey, Bensín, Úttekt, Sigríður, Innborgun, Kópavogur, Garðabær, Viðskipti, Öxi",
    ),
    Language(
        "English",
        ("cp1252", "iso8859_1"),
        "Date|Payee|Memo|Amount (£)",
        "Tesco Stores, Coffee £3.50, Rent, Salary, Café Nero, Refund £12.00, Direct debit, Leeds, Bristol, Jane Smith,"
        "Zoë Smith, Fee £1, Mobile phone, Groceries, Standing order £250, Transfer, Council tax, Water",
    ),
    Language(
        "Polish",
        CENTRAL,
        "Data księgowania|Tytuł|Nadawca|Kwota",
        "Łukasz Wiśniewski, Gdańsk, Kraków, Wrocław, Łódź, Opłata za łącze,"
        "Przelew przychodzący, Śniadanie, Czynsz, Żabno,"
        "Małgorzata Dąbrowska, Poznań, Wypłata, Płatność kartą, Świętokrzyska, Prąd, Zakupy, Książka, Źródło, Spłata,"
        "Piekarnia Pączek, Częstochowa, Ćwikła, Odsetki, Zwrot, Bielsko, Zażółć gęślą jaźń",
    ),
    Language(
        "Czech",
        CENTRAL,
        "Datum zaúčtování|Částka|Měna|Protiúčet",
        "Jiří Dvořák, Příchozí platba, Plzeň, České Budějovice, Mzda, Nájem, Žižkov,"
        "Růžena Křížová, Pekařství U Šťastných,"
        "Výběr z bankomatu, Ústí, Poplatek, Trvalý příkaz, Telefon, Elektřina,"
        "Zůstatek, Úrok, Děčín, Pojištění, Třebíč,"
        "Kadeřnictví, Nákup, Zaměstnání, Platba kartou, Ďábel, Kůň",
    ),
    Language(
        "Slovak",
        CENTRAL,
        "Dátum zaúčtovania|Čiastka|Mena|Protiúčet",
        "Ľubomír Kováč, Košice, Žilina, Prešov, Výplata, Nájomné, Pekáreň Šťastie,"
        "Zväčša, Tŕstie, Úrok, Poplatok, Nákup,"
        "Platba kartou, Stĺpec, Vôňa, Ďurica, Mäso, Bankomat, Poistenie, Splátka úveru, Trenčín, Príjem, Dôchodok, Kôň",
    ),
    Language(
        "Hungarian",
        CENTRAL,
        "Könyvelés dátuma|Összeg|Közlemény|Kedvezményezett",
        "Győr, Székesfehérvár, Tóth Géza, Fizetés, Lakbér, Átutalás, Kártyás vásárlás, Szőke Ágnes, Hűség, Díj, Pékség,"
        "Áramszámla, Ügyfél, Kőszeg, Nagy Béla, Jóváírás, Készpénzfelvétel, Űrlap, Budapest, Hitel törlesztő, Egyenleg,"
        "Gyógyszertár, Miskolc, Élelmiszer, Víz",
    ),
    Language(
        "Romanian",
        CENTRAL,
        "Data tranzacţiei|Descriere|Sumă|Beneficiar",
        "Ştefan Ionescu, Bucureşti, Plată card, Chirie, Salariu, Iaşi, Braşov, Timişoara, Încasare, Cumpărături, Pâine,"
        "Factură, Dobândă, Ţuţea, Retragere numerar, Târgu Mureş, Rată credit, Întreţinere, Bănci, Comision, Călin,"
        "Apă şi canal, Piaţă, Societate, Constanţa, Plăţi",
    ),
    Language(
        "Croatian",
        CENTRAL,
        "Datum knjiženja|Opis plaćanja|Primatelj|Iznos",
        "Željko Šimić, Đurđa Kovačević, Plaća, Najamnina, Čakovec, Šibenik, Međimurje, Uplata, Isplata, Račun, Zagreb,"
        "Kupnja, Naknada, Struja, Osiguranje, Požega, Bjelovar, Ćevapi, Božić, Đakovo, Dučan, Tržnica, Povišica",
    ),
    Language(
        "Slovenian",
        CENTRAL,
        "Datum knjiženja|Namen plačila|Prejemnik|Znesek",
        "Škofja Loka, Živa Črnič, Plača, Najemnina, Račun, Nakup, Ljubljana,"
        "Položnica, Krško, Češnja, Žalec, Dvig gotovine,"
        "Pošta, Zavarovanje, Novo mesto, Trgovina, Kočevje, Nadomestilo, Višnja Gora, Šport, Obresti, Mavčiče",
    ),
    Language(
        "Russian",
        CYRILLIC,
        "Дата|Описание операции|Получатель|Сумма",
        "Перевод средств, Зарплата, Москва, Санкт-Петербург, Иван Сидоров,"
        "Ольга Кузнецова, Оплата услуг, Продукты, Аренда,"
        "Коммунальные платежи, Аптека, Снятие наличных, Кафе, Такси, Возврат, Проценты, Екатеринбург, Щёлково, Магазин",
    ),
    Language(
        "Ukrainian",
        ("cp1251", "koi8_u", "iso8859_5"),
        "Дата|Опис операції|Отримувач|Сума",
        "Переказ коштів, Зарплата, Київ, Львів, Оксана Шевчук, Їжа, Оренда, Комунальні послуги, Зняття готівки, Аптека,"
        "Повернення, Відсотки, Чернівці, Продукти, Сплата рахунку, Єгор Бойко, Залишок, Поповнення, Кав'ярня",
    ),
    Language(
        "Bulgarian",
        ("cp1251", "iso8859_5"),
        "Дата|Основание|Получател|Сума",
        "Превод, Заплата, София, Пловдив, Георги Димитров, Наем, Теглене, Плащане с карта, Ток и вода, Варна, Аптека,"
        "Възстановяване, Такса, Лихва, Хранителни стоки, Мария Желева, Ъгъл, Бургас, Вноска, Търговище, Щастие",
    ),
    Language(
        "Serbian",
        ("cp1251", "iso8859_5"),
        "Датум|Опис|Прималац|Износ",
        "Плата, Уплата, Београд, Ниш, Ђорђе Петровић, Станарина, Љубица Николић, Рачун за струју, Провизија, Куповина,"
        "Џемпер, Чачак, Ужице, Њива, Кредит, Камата, Повраћај, Краљево, Подизање готовине",
    ),
    Language(
        "Greek",
        ("cp1253", "iso8859_7"),
        "Ημερομηνία|Περιγραφή|Δικαιούχος|Ποσό",
        "Μισθοδοσία, Ενοίκιο, Αθήνα, Θεσσαλονίκη, Γιώργος Παπαδάκης, Ανάληψη μετρητών, Λογαριασμός, Φαρμακείο, Αγορά,"
        "Ηλεκτρικό ρεύμα, Πάτρα, Μεταφορά, Προμήθεια, Ελένη Δημητρίου, Τόκοι, Έξοδα, Ύδρευση, Ταχυδρομείο",
    ),
    Language(
        "Turkish",
        ("cp1254", "iso8859_9"),
        "İşlem tarihi|Açıklama|Alıcı|Tutar",
        "Maaş ödemesi, İstanbul, Şişli, Ayşe Yılmaz, Kira, Çankaya, Eğitim, Fatura,"
        "Alışveriş, Diyarbakır, Muğla, Iğdır,"
        "Havale, Kredi kartı, Güneş Market, Elektrik, Öğretmen, Nakit çekme, İade, Ücret, Su, Doğalgaz, Balıkesir",
    ),
    Language(
        "Hebrew",
        ("cp1255",),
        "תאריך|תיאור|מוטב|סכום",
        "משכורת, שכר דירה, ירושלים, חיפה, העברה בנקאית, קניות, חשמל, דוד כהן, משיכת מזומן, עמלה, ביטוח, רחל לוי, ריבית",
    ),
    Language(
        "Arabic",
        ("cp1256",),
        "التاريخ|الوصف|المستفيد|المبلغ",
        "راتب شهري, إيجار, القاهرة, دبي, تحويل بنكي, مشتريات, كهرباء, محمد علي,سحب نقدي, رسوم, تأمين, فاطمة حسن, فائدة",
    ),
    Language(
        "Lithuanian",
        ("cp1257", "iso8859_13"),
        "Data|Mokėtojas ar gavėjas|Paskirtis|Suma",
        "Atlyginimas, Nuoma, Šiauliai, Vilnius, Panevėžys, Mokėjimas kortele, Grynųjų išėmimas, Jūratė Žukauskienė,"
        "Pirkinys, Elektros sąskaita, Klaipėda, Ąžuolas, Įmoka, Čekis, Mokestis, Grąžinimas, Kaunas, Žuvų turgus",
    ),
    Language(
        "Latvian",
        ("cp1257", "iso8859_13"),
        "Datums|Saņēmējs|Maksājuma mērķis|Summa",
        "Alga, Īre, Rīga, Liepāja, Jānis Bērziņš, Pārskaitījums, Skaidras naudas izņemšana, Rēzekne, Ķekava, Ļubova,"
        "Pirkums ar karti, Elektrība, Komisija, Jūrmala, Šķiņķis, Ģimene, Čeks, Žēlsirdība, Ūdens, Valmiera",
    ),
    Language(
        "Estonian",
        ("cp1257", "iso8859_13", "cp1252", "iso8859_15"),
        "Kuupäev|Saaja|Selgitus|Võlg",
        "Palk, Üür, Tallinn, Pärnu, Jõgeva, Tõnu Mägi, Kaardimakse, Sularaha väljavõtmine, Võru, Põltsamaa, Ülekanne,"
        "Elektriarve, Külli Õunapuu, Ostud, Intress, Teenustasu, Jõhvi, Hüvitis, Söök, Lõuna",
    ),
    Language(
        "Japanese",
        ("cp932", "euc_jp"),
        "取引日|お支払先|摘要|残高",
        "給与振込, 家賃, 東京都新宿区, 大阪市, 山田太郎, 佐藤花子, スーパーでのお買い物,"
        "電気料金, コーヒーショップ, 現金引き出し,"
        "手数料, 利息, 京都, 携帯電話, 保険料, カード払い, 食料品, ガス代, 病院",
    ),
    Language(
        "Chinese, simplified",
        ("gb18030", "gbk"),
        "交易日期|对方户名|摘要|账户余额",
        "工资, 房租, 北京市海淀区, 上海, 张伟, 王芳, 超市购物, 电费, 咖啡,"
        "现金取款, 手续费, 利息, 广州, 手机话费, 保险,"
        "银行转账, 食品有限公司, 医院, 退款, 支付宝",
    ),
    Language(
        "Chinese, traditional",
        ("big5", "cp950"),
        "交易日期|受款人|摘要|帳戶餘額",
        "薪資轉帳, 房租, 臺北市信義區, 高雄, 陳怡君, 林志明, 超市購物, 電費, 咖啡,"
        "現金提款, 手續費, 利息, 臺中, 手機費, 保險,"
        "銀行匯款, 食品有限公司, 醫院, 退款",
    ),
    Language(
        "Korean",
        ("cp949", "euc_kr"),
        "거래일자|받는 사람|적요|잔액",
        "급여 이체, 월세, 서울특별시 강남구, 부산, 김철수, 이영희, 마트 장보기,"
        "전기 요금, 커피, 현금 인출, 수수료, 이자, 대구,"
        "휴대폰 요금, 보험료, 카드 결제, 식료품, 병원, 환불",
    ),
    Language(
        "Vietnamese",
        ("cp1258",),
        "Ngày|Diễn giải|Người nhận|Số tiền",
        "Lương tháng, Tiền nhà, Hà Nội, Đà Nẵng, Nguyễn Văn Hùng, Trần Thị Hương,"
        "Chuyển khoản, Mua sắm, Tiền điện, Cà phê,"
        "Rút tiền mặt, Phí dịch vụ, Lãi suất, Huế, Điện thoại, Bảo hiểm, Thẻ tín dụng, Bệnh viện, Hoàn tiền",
    ),
)


def csv_text(language: Language, rows: int, seed: int = 0) -> str:
    """A bank statement in that language, semicolons between four cells; the same for the same arguments."""
    chosen = random.Random(f"{language.name} {rows} {seed}")
    lines = [language.header.replace("|", ";")]
    for row in range(rows):
        first, second = chosen.choice(language.phrases), chosen.choice(language.phrases)
        lines.append(f"2024-{row % 12 + 1:02d}-{row % 28 + 1:02d};{first};{second};-{chosen.randrange(9999) / 100:.2f}")
    return "\n".join(lines) + "\n"


def writable(text: str, encoding: str) -> str:
    """The text as that encoding can have it: cp1258 has the tones of Vietnamese as marks behind the letters."""
    if encoding != "cp1258":
        return text
    return "".join(c if _is_in(c, encoding) else _marked(c) for c in text)


def _is_in(char: str, encoding: str) -> bool:
    try:
        char.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _marked(char: str) -> str:
    letter, *marks = unicodedata.normalize("NFD", char)
    of_the_letter = [m for m in marks if m in "\u0302\u0306\u031b"]
    tones = [m for m in marks if m not in of_the_letter]
    return unicodedata.normalize("NFC", "".join([letter, *of_the_letter])) + "".join(tones)

"""S3: objects are taken in like files in landing/, and an archive in a bucket is as good as one in a folder."""

from __future__ import annotations

import hashlib
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from projects import CHASE, EXAMPLES, SKELETON, LiveProject
from s3_server import KEY, SECRET, client, s3_server

from generator.errors import GoldsmithError, StillWritten, UsageError
from generator.intake.archive import Original, moment_after, open_archive
from generator.intake.files import find_files
from generator.intake.remote import MISSING, fetched, is_remote, list_remote

pytestmark = pytest.mark.slow
BANK = "bank_transactions"


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """The environment of a client of an S3 server."""
    with s3_server() as found:
        yield found


@pytest.fixture(scope="module")
def s3(environment: dict[str, str]) -> Any:
    """Another program's view of the server."""
    return client(environment)


@pytest.fixture
def bucket(s3: Any, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A new bucket, and this process as its client."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    fsspec.filesystem("s3").clear_instance_cache()
    name = f"bucket-{os.urandom(4).hex()}"
    s3.create_bucket(Bucket=name)
    yield name
    fsspec.filesystem("s3").clear_instance_cache()


def put(s3: Any, bucket: str, key: str, content: bytes = b"a,b\n1,2\n") -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=content)


# ---- objects --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "remote"),
    [
        ("s3://bucket/key", True),
        ("S3://bucket", True),
        ("gs://bucket/key", True),
        ("file.csv", False),
        ("s3:/bucket", False),
        ("C:\\x", False),
        ("-", False),
        ("a b://c", False),
        ("landing/x://y", False),
    ],
)
def test_a_path_is_told_from_a_url(text: str, remote: bool) -> None:
    assert is_remote(text) is remote


KEYS = [
    "in/a.csv",
    "in/../up.csv",
    "in/../../../../tmp/up.csv",
    "in//empty folder.csv",
    "in/./here.csv",
    "in/with blank.csv",
    "in/e\u0301🙂.csv",
    "in/bidi\u202e.csv",
    "in/%2e%2e/x.csv",
    "in/a+b&c=d.csv",
    "in/#h.csv",
    "in/[x]*?.csv",
    "in/'quo\"te`.csv",
    "in/{{ 1 }}.csv",
    "in/-rf.csv",
    "in/a.csv/b.csv",
]


def test_every_key_is_fetched_as_what_it_is_and_never_taken_for_a_path(s3: Any, bucket: str, tmp_path: Path) -> None:
    for key in KEYS:
        put(s3, bucket, key, key.encode())
    put(s3, bucket, "in/folder/", b"")
    put(s3, bucket, "in", b"the object of the prefix's name")
    put(s3, bucket, "inside.csv", b"beside the prefix")
    files, below = list_remote(f"s3://{bucket}/in/")
    assert below
    assert [f.name for f in files] == sorted(k.removeprefix("in/") for k in KEYS)
    for file in files:
        with fetched(file, tmp_path / "copy") as path:
            assert path == tmp_path / "copy"
            assert path.read_bytes().decode() == f"in/{file.name}"
        assert list(tmp_path.iterdir()) == []


def test_an_object_goes_before_a_prefix_of_its_name(s3: Any, bucket: str) -> None:
    put(s3, bucket, "in", b"x")
    put(s3, bucket, "in/a.csv")
    assert [f.name for f in list_remote(f"s3://{bucket}/in")[0]] == ["in"]
    assert [f.name for f in list_remote(f"s3://{bucket}/in/")[0]] == ["a.csv"]
    assert [f.name for f in list_remote(f"s3://{bucket}")[0]] == ["in", "in/a.csv"]


def test_a_key_that_the_library_would_take_for_a_version_is_refused(s3: Any, bucket: str, tmp_path: Path) -> None:
    put(s3, bucket, "a.csv", b"another object")
    put(s3, bucket, "a.csv?versionId=1")
    (_, file), _ = list_remote(f"s3://{bucket}")
    with pytest.raises(GoldsmithError, match="its key holds .versionId=, "), fetched(file, tmp_path / "copy"):
        raise AssertionError("fetched")


@pytest.mark.parametrize("now", [b"x,y\n1,2\n", b"longer,\n1,2\n", b""])
def test_an_object_that_was_written_to_since_it_was_listed_is_left_for_the_next_run(
    s3: Any, bucket: str, tmp_path: Path, now: bytes
) -> None:
    put(s3, bucket, "a.csv")
    ((file,), _) = list_remote(f"s3://{bucket}/a.csv")
    put(s3, bucket, "a.csv", now)
    with pytest.raises(StillWritten), fetched(file, tmp_path / "copy"):
        raise AssertionError("fetched")
    assert list(tmp_path.iterdir()) == []


def test_an_object_that_is_gone_since_it_was_listed_is_said_to_be_gone(s3: Any, bucket: str, tmp_path: Path) -> None:
    put(s3, bucket, "a.csv")
    ((file,), _) = list_remote(f"s3://{bucket}/a.csv")
    s3.delete_object(Bucket=bucket, Key="a.csv")
    with pytest.raises(GoldsmithError, match="no such bucket or object"), fetched(file, tmp_path / "copy"):
        raise AssertionError("fetched")


def test_a_large_object_is_never_in_memory_as_a_whole(s3: Any, bucket: str, tmp_path: Path) -> None:
    content = os.urandom(1 << 20) * 64
    put(s3, bucket, "large.csv", content)
    ((file,), _) = list_remote(f"s3://{bucket}/large.csv")
    tracemalloc.start()
    try:
        with fetched(file, tmp_path / "copy") as path:
            assert tracemalloc.get_traced_memory()[1] < 40 << 20
            assert path.read_bytes() == content
    finally:
        tracemalloc.stop()


def test_folders_below_the_prefix_name_contract_and_source(s3: Any, bucket: str, tmp_path: Path) -> None:
    for key in ("orders/shopify/x.csv", "orders/sales.TSV", "My Shop/z.csv.gz", "plain.csv", ".hidden.csv", "n.json"):
        put(s3, bucket, f"inbox/{key}")
    found = find_files(tmp_path, [f"s3://{bucket}/inbox", f"s3://{bucket}/inbox"], None, None, ["orders"])
    assert [(i.name, i.contract, i.source, i.named) for i in found] == [
        ("My Shop/z.csv.gz", None, "my_shop", False),
        ("orders/sales.TSV", "orders", "sales", False),
        ("orders/shopify/x.csv", "orders", "shopify", False),
        ("plain.csv", None, "plain", False),
    ]
    (one,) = find_files(tmp_path, [f"s3://{bucket}/inbox/n.json"], "orders", "Me", ["orders"])
    assert (one.name, one.contract, one.source, one.named) == ("n.json", "orders", "me", True)
    put(s3, bucket, "others/n.json")
    with pytest.raises(UsageError, match="no CSV file below it"):
        find_files(tmp_path, [f"s3://{bucket}/others"], None, None, [])


# ---- what goes wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("s3://{bucket}/none", "no such object, and none below it; check bucket and prefix"),
        ("s3://no-such-bucket-0/x", "no such bucket or object; check the name, and AWS_ENDPOINT_URL if it is set"),
        ("s3://B!/x", "not a name that a bucket may have; give s3://BUCKET/PREFIX"),
        ("s3://", "no bucket in it; give s3://BUCKET/PREFIX"),
        ("nowhere://x/y", "this kind of URL is not known; give s3://BUCKET/PREFIX, a file or a folder"),
    ],
)
def test_a_url_that_cannot_be_read_is_one_line(bucket: str, url: str, says: str) -> None:
    url = url.format(bucket=bucket)
    with pytest.raises(UsageError) as error:
        list_remote(url)
    assert str(error.value) == f"{url}: {says}"


def test_a_key_in_a_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError) as error:
        list_remote(f"s3://{KEY}:{SECRET}@bucket/x")
    assert SECRET not in str(error.value) and "AWS profile" in str(error.value)


def test_without_credentials_or_service_the_line_says_so(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    fsspec.filesystem("s3").clear_instance_cache()
    with pytest.raises(UsageError, match="no credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID"):
        list_remote(f"s3://{bucket}/x")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    fsspec.filesystem("s3").clear_instance_cache()
    with pytest.raises(UsageError, match="there is no such AWS profile; see AWS_PROFILE"):
        list_remote(f"s3://{bucket}/x")


def test_without_the_extra_the_line_says_what_to_install(skeleton: LiveProject) -> None:
    # What a Python without the package does.
    skeleton.put("absent/fsspec.py", "raise ImportError('No module named fsspec')")
    path = f"{skeleton.folder}/absent{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    ran = skeleton.goldsmith("run", "s3://bucket/x", prefix=["env"], PYTHONPATH=path)
    assert (ran.code, ran.err.strip()) == (2, f"goldsmith: {MISSING}")


# ---- the archive ----------------------------------------------------------------------------------------------------


def test_an_archive_in_a_bucket_keeps_gives_and_verifies(s3: Any, bucket: str, tmp_path: Path) -> None:
    archive = open_archive(f"s3://{bucket}/kept/", tmp_path, tmp_path / "x.duckdb")
    assert (archive.originals(), archive.place) == (([], []), f"s3://{bucket}/kept")
    file = tmp_path / "a.csv"
    file.write_bytes(b"a,b\n1,2\n")
    with archive.copying(file) as copy:
        original = Original(copy.sha256, "\udcff.csv", None, "a", moment_after(None), "0a", "a_0a")
        copy.keep(original)
    digest = hashlib.sha256(b"a,b\n1,2\n").hexdigest()
    listed = [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert listed == [
        f"kept/{digest[:2]}/{digest}",
        f"kept/{digest[:2]}/{digest}.{hashlib.sha256(b'x.duckdb').hexdigest()[:8]}.json",
    ]
    assert archive.originals() == ([original], [])
    with archive.fetched(digest) as path:
        assert path.read_bytes() == b"a,b\n1,2\n"
    put(s3, bucket, f"kept/{digest[:2]}/{digest}", b"a,b\n1,3\n")
    with (
        pytest.raises(GoldsmithError, match=f"^s3://{bucket}/kept/{digest[:2]}/{digest}: damaged"),
        archive.fetched(digest),
    ):
        raise AssertionError("given out")
    s3.delete_object(Bucket=bucket, Key=f"kept/{digest[:2]}/{digest}")
    with pytest.raises(GoldsmithError, match="missing in the archive"), archive.fetched(digest):
        raise AssertionError("given out")
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["a.csv"]


def test_a_bucket_that_is_not_there_is_wrong_configuration(
    bucket: str, skeleton: LiveProject, environment: dict[str, str]
) -> None:
    skeleton.edit("dbt_project.yml", "archive: archive", "archive: s3://no-such-bucket-0/kept")
    ran = skeleton.goldsmith("load", CHASE, **environment)
    assert (ran.code, len(ran.err.splitlines())) == (2, 1), ran
    assert "s3://no-such-bucket-0/kept: no such bucket or object" in ran.err


# ---- the whole way --------------------------------------------------------------------------------------------------


def cells(project: LiveProject) -> list[tuple[Any, ...]]:
    """All raw rows but for when they were loaded."""
    tables = [t for (t,) in project.query("select distinct raw_table from raw._files order by 1")]
    return [row for table in tables for row in project.query(f'select * from raw."{table}" order by all')]


def test_a_bucket_gives_the_same_rows_as_a_folder_and_takes_the_archive(
    s3: Any, bucket: str, environment: dict[str, str], tmp_path: Path
) -> None:
    local, remote = (LiveProject.copy(tmp_path / n, *SKELETON).keep_contracts(BANK) for n in ("local", "remote"))
    remote.edit("dbt_project.yml", "archive: archive", f"archive: s3://{bucket}/kept")
    for source in ("chase", "mint"):
        for path in (EXAMPLES / BANK / source).glob("*.csv"):
            name = f"{BANK}/{source}/{path.name}"
            local.put(f"landing/{name}", path.read_bytes())
            put(s3, bucket, f"inbox/{name}", path.read_bytes())
    assert local.goldsmith("load").code == 0
    runs = [remote.goldsmith("run", f"s3://{bucket}/inbox", **environment)]
    assert runs[0].code == 0, runs[0]
    assert cells(remote) == cells(local)
    assert remote.query(f"select count(*) from gold.{BANK}") == [(51,)]
    known = remote.goldsmith("run", f"s3://{bucket}/inbox", "--json", **environment)
    assert {f["state"] for f in known.json["files"]} == {"known"}

    before = remote.query(f"select * from gold.{BANK} order by all")
    runs.append(remote.goldsmith("rebuild", **environment))
    assert runs[1].code == 0, runs[1]
    assert remote.query(f"select * from gold.{BANK} order by all") == before
    remote.database.unlink()
    runs.append(remote.goldsmith("load", "-v", **environment))
    assert f"2 files that the database does not know: taken from the archive s3://{bucket}/kept" in runs[2].said
    assert cells(remote) == cells(local)

    assert not (remote.folder / "archive").exists()
    assert sorted(p.name for p in remote.folder.glob("test.duckdb*")) == ["test.duckdb", "test.duckdb.lock"]
    secrets = (KEY.encode(), SECRET.encode())
    files = [p for p in remote.folder.rglob("*") if p.is_file()]
    assert [p for p in files if any(s in p.read_bytes() for s in secrets)] == [], "credentials were written to a file"
    assert not any(s in ran.out + ran.err for s in (KEY, SECRET) for ran in [*runs, known])

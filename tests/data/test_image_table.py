"""Tables that name pictures: text stays text, paths start at the table, holes are named by row."""

import gzip
import json

import pandas as pd
import pytest
from small_pictures import put

from reinforge.data.images import read_images
from reinforge.errors import InputError


@pytest.fixture
def pictures(tmp_path):
    for seed in (1, 2, 3):
        put(tmp_path / "photos" / f"{seed}.png", seed)
    return tmp_path


ROWS = "path,identity,camera,group\nphotos/1.png,01,4,north\nphotos/2.png,1,7,south\n"


def _table(folder, text, name="people.csv"):
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder / name


def _check(images):
    assert images.names == ("01", "1")
    assert images.identity.tolist() == [0, 1]
    assert images.camera.tolist() == [4, 7]
    assert images.group == ("north", "south")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (ROWS, "people.csv"),
        (ROWS.replace(",", ";"), "people.csv"),
        (ROWS.replace(",", "\t"), "people.tsv"),
        (ROWS.replace("\n", "\r\n").encode("utf-8-sig"), "people.csv"),
        (gzip.compress(ROWS.encode()), "people.csv"),
        (ROWS.replace(",", ", "), "people.csv"),
    ],
    ids=["comma", "semicolon", "tab", "mark", "packed", "spaces"],
)
def test_a_text_table_is_read_with_identities_as_text(pictures, text, name):
    _check(read_images(_table(pictures, text, name)))


def test_a_parquet_table_is_read(pictures):
    frame = pd.DataFrame(
        {
            "path": ["photos/1.png", "photos/2.png"],
            "identity": ["01", "1"],
            "camera": [4, 7],
            "group": pd.Categorical(["north", "south"]),
        }
    )
    frame.to_parquet(pictures / "people.parquet")
    _check(read_images(pictures / "people.parquet"))


def test_columns_of_other_names_are_told(pictures):
    table = _table(pictures, "file,person\nphotos/1.png,ada\n")
    with pytest.raises(InputError, match=r"no column 'path', only 'file', 'person'; name it"):
        read_images(table)
    images = read_images(table, columns={"path": "file", "identity": "person"})
    assert images.names == ("ada",)
    assert images.camera is None
    with pytest.raises(InputError, match="columns= names path, identity, camera, group"):
        read_images(table, columns={"file": "path"})


def test_cameras_that_are_text_are_numbered_in_sorted_order(pictures):
    text = "path,identity,camera\nphotos/1.png,a,yard\nphotos/2.png,a,door\n"
    assert read_images(_table(pictures, text)).camera.tolist() == [1, 0]


def test_an_absolute_path_is_taken_as_it_is(pictures, tmp_path):
    text = f"path,identity\n{tmp_path}/photos/3.png,ada\n"
    (tmp_path / "elsewhere").mkdir()
    assert len(read_images(_table(tmp_path / "elsewhere", text))) == 1


def test_a_missing_picture_is_left_out_and_named(pictures):
    table = _table(pictures, ROWS + "photos/nowhere.png,1,7,south\n")
    with pytest.warns(UserWarning, match=r"nowhere\.png.*No such file"):
        assert len(read_images(table, max_rejected=0.4)) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("path,identity\n", "names no pictures"),
        ("", "names no pictures"),
        ("path,identity\nphotos/1.png,ada\nphotos/2.png, \n", "1 rows have no identity.*row 2"),
        ("path,identity\n,ada\n", "1 rows have no path, first row 1"),
        ("path,identity\nphotos/1.png\n", "row 1: 1 fields parted by ',' where.* has 2"),
        ("path\tidentity\nphotos/1.png\n", "row 1: 1 fields parted by a tab where.* has 2"),
        ("path:identity\nphotos/1.png:ada\n", "one column, 'path:identity'.*semicolon, a tab or"),
        ("path,path,identity\na,b,c\n", "column name occurs twice"),
        (b"path,identity\nphotos/1.png,\xff\xfe\n", "cannot be read as CSV in utf-8"),
        (b"path,identity\nphotos/1.png,\0\n", "NUL byte"),
        (b"PAR1....", "is a Parquet file"),
    ],
)
def test_a_table_with_a_hole_is_refused_by_row(pictures, text, expected):
    with pytest.raises(InputError, match=expected):
        read_images(_table(pictures, text))


def test_a_parquet_table_with_a_hole_is_refused_by_row(pictures):
    pd.DataFrame({"path": ["photos/1.png"], "identity": [None]}).to_parquet(pictures / "a.parquet")
    with pytest.raises(InputError, match="1 rows have no identity, first row 1"):
        read_images(pictures / "a.parquet")
    (pictures / "b.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match="no complete Parquet file"):
        read_images(pictures / "b.parquet")


GOOD = {"file": "photos/1.png", "identity": "ada"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("no json", "line 1: a JSON object with file and identity"),
        ("[1]", "line 1: a JSON object"),
        (json.dumps({"file": "photos/1.png"}), "line 1: a JSON object"),
        (json.dumps(GOOD | {"file": "../out.png"}), r"must lie inside .*, got '\.\./out\.png'"),
        (json.dumps(GOOD | {"file": "/etc/passwd"}), "must lie inside"),
        (json.dumps(GOOD | {"file": 5}), "must lie inside"),
        (json.dumps(GOOD | {"camera": "x"}), "camera is a whole number"),
        ("", "a JSON object|holds no pictures"),
    ],
)
def test_a_manifest_that_is_none_is_refused_by_line(pictures, line, expected):
    (pictures / "manifest.jsonl").write_text(line + "\n")
    with pytest.raises(InputError, match=expected):
        read_images(pictures)


def test_a_file_that_is_not_the_manifests_is_left_out(pictures):
    lines = [json.dumps(GOOD), json.dumps(GOOD | {"file": "photos/2.png", "sha256": "0" * 64})]
    (pictures / "manifest.jsonl").write_text("\n".join(lines))
    with pytest.warns(UserWarning, match=r"2\.png.*SHA-256 differs"):
        assert len(read_images(pictures, max_rejected=0.5)) == 1

"""Names of tumour types are understood as sheets write them; what is not in the table stays unknown."""

from __future__ import annotations

import pytest

from escape_score.errors import ResourceInvalidError
from escape_score.library.files import resource_path, table_rows
from escape_score.library.tumour_types import TUMOUR_TYPES_FILE, load_tumour_types, tumour_types_of
from escape_score.report.text.i18n import translations

TYPES = load_tumour_types()
ROWS = table_rows(resource_path(TUMOUR_TYPES_FILE))
TCGA = (
    "ACC BLCA BRCA CESC CHOL COAD DLBC ESCA GBM HNSC KICH KIRC KIRP LAML LCML LGG LIHC LUAD LUSC MESO OV "
    "PAAD PCPG PRAD READ SARC SKCM STAD TGCT THCA THYM UCEC UCS UVM"
)
ALIKE = {
    "COADREAD": "COAD READ CRC TCGA-COAD TCGA_READ tcga.coad colon Rectum|Colorectal cancer|"
    "cancer colorectal|rectal adenocarcinoma|Adenocarcinoma, rectal|Colon Adenocarcinoma (COAD)|"
    "COAD/READ|colon and rectum|stage IV colorectal cancer|metastatic CRC|cancer du côlon|"
    "adénocarcinome du rectum|COLON_ADENOCARCINOMA",
    "SKCM": "SKCM TCGA-SKCM|cutaneous melanoma|Cutaneous Melanoma.|skin cutaneous melanoma|mélanome cutané",
    "MELANOMA": "melanoma Melanoma|malignant melanoma|mélanome|metastatic melanoma",
    "SKIN": "skin|skin cancer|cancer de la peau",
    "BLCA": "BLCA bladder urothelial|urothelial carcinoma|Bladder Urothelial Carcinoma|"
    "muscle-invasive bladder cancer|cancer de la vessie|carcinome urothélial",
    "LUAD": "LUAD|lung adenocarcinoma|adenocarcinoma of the lung|adénocarcinome pulmonaire|Lung (LUAD)",
    "LUSC": "LUSC|Lung Squamous Cell Carcinoma|squamous NSCLC",
    "NSCLC": "NSCLC|non-small-cell lung cancer|Non Small Cell Lung Carcinoma|CBNPC",
    "LUNG": "lung|lung cancer|poumon|cancer bronchique",
    "KIRC": "KIRC ccRCC|clear-cell renal cell carcinoma|Kidney Renal Clear Cell Carcinoma|KIRC (ccRCC)",
    "KIPAN": "kidney RCC|renal cell carcinoma|renal cancer|cancer du rein",
    "BRCA": "BRCA breast TNBC|breast cancer|Breast Invasive Carcinoma|cancer du sein",
    "ESCA": "ESCA|oesophageal cancer|Esophageal Carcinoma|cancer de l'œsophage|cancer de l’œsophage",
    "HNSC": "HNSC HNSCC|Head & Neck|head and neck squamous cell carcinoma|tête et cou",
    "DLBC": "DLBC|Lymphoid Neoplasm Diffuse Large B-cell Lymphoma",
    "LAML": "AML|acute myeloid leukemia|acute myeloid leukaemia",
    "LGG": "LGG|Brain Lower Grade Glioma|low-grade glioma",
    "PCPG": "pheochromocytoma|phaeochromocytoma|Pheochromocytoma and Paraganglioma",
}
UNKNOWN = (
    "|cancer|tumour|response|not stated|mixed|other|unknown|n/a|7|squamous cell carcinoma|adenocarcinoma|"
    "brain metastasis|normal colon|melanoma or flu|carcinoma of unknown primary|???|日本"
)


@pytest.mark.parametrize("code", TCGA.split())
def test_every_code_of_tcga_is_a_type(code: str) -> None:
    found = TYPES.understood(code)
    assert len(found) == 1
    assert TYPES.understood(f"tcga-{code.lower()}") == found
    assert code in {name for row in ROWS if row["type"] in found for name in row["tcga"].split()}


@pytest.mark.parametrize("row", ROWS, ids=[row["type"] for row in ROWS])
def test_every_name_of_a_row_is_understood_in_any_spelling(row: dict[str, str]) -> None:
    names = [row["type"], row["name"], *row["synonyms"].split(";"), translations("fr").find(row["name"])]
    for name in names:
        assert name
        for text in (name, name.upper(), f" {name.replace(' ', '_')}. ", name.replace(" ", "-")):
            assert TYPES.understood(text) == {row["type"]}, text


@pytest.mark.parametrize(("tumour_type", "texts"), ALIKE.items())
def test_names_of_a_type_are_understood(tumour_type: str, texts: str) -> None:
    for text in texts.split("|"):
        whole = [text] if TYPES.understood(text) else text.split()
        assert {*map(TYPES.understood, whole)} == {frozenset({tumour_type})}, text


@pytest.mark.parametrize("text", UNKNOWN.split("|"))
def test_a_name_that_the_table_does_not_have_is_no_type(text: str) -> None:
    assert TYPES.understood(text) == frozenset()


def test_several_types_in_one_text_are_all_meant() -> None:
    assert TYPES.understood("LUAD/LUSC") == {"LUAD", "LUSC"}
    assert TYPES.understood("breast and ovary") == {"BRCA", "OV"}
    assert TYPES.understood("LUAD, lung, NSCLC") == {"LUAD"}


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("COAD", "colorectal adenocarcinoma", True),
        ("READ", "COAD", True),
        ("NSCLC", "LUAD", True),
        ("lung", "LUAD", True),
        ("lung", "SCLC", True),
        ("NSCLC", "SCLC", False),
        ("LUAD", "LUSC", False),
        ("LUAD/LUSC", "LUSC", True),
        ("kidney", "KIRP", True),
        ("KIRC", "KIRP", False),
        ("melanoma", "UVM", True),
        ("skin", "melanoma", True),
        ("skin", "UVM", False),
        ("SKCM", "UVM", False),
        ("brain", "GBM", True),
        ("GBM", "LGG", False),
        ("gastroesophageal", "STAD", True),
        ("sarcoma", "synovial sarcoma", True),
        ("leiomyosarcoma", "synovial sarcoma", False),
        ("UCEC", "UCS", False),
        ("uterine cancer", "UCS", True),
        ("melanoma", "colorectal adenocarcinoma", False),
        ("other", "colorectal adenocarcinoma", False),
    ],
)
def test_types_agree_where_one_contains_the_other(one: str, other: str, *, agree: bool) -> None:
    assert TYPES.agree(TYPES.understood(one), TYPES.understood(other)) is agree
    assert TYPES.agree(TYPES.understood(other), TYPES.understood(one)) is agree


def test_types_of_the_table_are_distinct() -> None:
    assert len({row["type"] for row in ROWS}) == len({row["name"] for row in ROWS}) == len(ROWS)


def table(**rows: str) -> list[dict[str, str]]:
    return [
        {"type": name, "name": name, "tcga": "", "part_of": part_of, "synonyms": f"{name} x; one"}
        for name, part_of in rows.items()
    ]


def test_a_name_in_two_rows_is_refused() -> None:
    with pytest.raises(ResourceInvalidError, match=r"^resources/tumour_types.tsv: 'one' names AA and BB; "):
        tumour_types_of(table(AA="", BB=""))


def test_a_wider_type_without_a_row_is_refused() -> None:
    with pytest.raises(ResourceInvalidError, match=r"^resources/tumour_types.tsv: AA is part of CC, "):
        tumour_types_of(table(AA="CC"))

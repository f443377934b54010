"""The text prior: read from a Model2Vec folder, cut to the catalogue's directions, refused where it does not fit."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import Unigram, WordPiece
from tokenizers.pre_tokenizers import BertPreTokenizer

from relevance.errors import DataError
from training.towers.prior import TextPrior, read_prior

VOCABULARY = {"[PAD]": 0, "[UNK]": 1, "!": 2, "wind": 3, "##cheater": 4, "jacket": 5}


def write_model(folder: Path, vectors: np.ndarray, model: object = None) -> Path:
    folder.mkdir(exist_ok=True)
    tokenizer = Tokenizer(model or WordPiece(VOCABULARY, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    save_file({"embeddings": vectors}, str(folder / "model.safetensors"))
    (folder / "config.json").write_text(json.dumps({"model_type": "model2vec", "normalize": True}))
    return folder


def test_reads_pieces_that_words_can_hold(tmp_path: Path) -> None:
    vectors = np.arange(12, dtype=np.float32).reshape(6, 2)
    prior = read_prior(str(write_model(tmp_path / "prior", vectors)))
    assert prior.pieces == ("wind", "##cheater", "jacket")
    np.testing.assert_allclose(prior.vectors, vectors[3:])
    assert prior.dim == 2


def test_reduced_keeps_the_directions_that_tell_texts_apart() -> None:
    vectors = np.array([[3, 0.1, 0], [-3, 0, 0.1], [0, 0, 5]], np.float32)  # the last one is in no text
    prior = TextPrior(("a", "b", "c"), vectors).reduced(["a b"] * 50, 1)
    assert prior.vectors.shape == (3, 1)
    a, b, c = prior.vectors[:, 0]
    assert a == pytest.approx(-b, rel=0.05)
    assert abs(c) < 0.1 * abs(a)
    assert TextPrior(("a",), np.ones((1, 2), np.float32)).reduced(["a"], 8).dim == 2


def test_no_such_folder_says_what_to_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DataError, match=r"--text-prior .*gone.*give the path of a folder"):
        read_prior(str(tmp_path / "gone"))


def test_another_kind_of_vocabulary_is_refused(tmp_path: Path) -> None:
    unigram = Unigram([(piece, 0.0) for piece in VOCABULARY], unk_id=1)
    folder = write_model(tmp_path / "prior", np.zeros((6, 2), np.float32), unigram)
    with pytest.raises(DataError, match="of the kind Unigram; expected WordPiece"):
        read_prior(str(folder))


def test_fewer_vectors_than_pieces_are_refused(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "prior", np.zeros((4, 2), np.float32))
    with pytest.raises(DataError, match=r"--text-prior .*no Model2Vec model.*tokens \(6\).*vectors \(4\)"):
        read_prior(str(folder))


@pytest.mark.parametrize(("value", "shown"), [(np.nan, "nan"), (-np.inf, "-inf")])
def test_a_vector_that_is_not_finite_is_named(tmp_path: Path, value: float, shown: str) -> None:
    vectors = np.ones((6, 2), np.float32)
    vectors[4:, 1] = value
    folder = write_model(tmp_path / "prior", vectors)
    with pytest.raises(DataError, match=rf"row 4, .* piece '##cheater': .* found {shown} \(rows like that: 2 of 6\)"):
        read_prior(str(folder))


def test_a_prior_that_says_nothing_of_any_word_is_refused(tmp_path: Path) -> None:
    vectors = np.zeros((6, 2), np.float32)
    vectors[:3] = 1  # [PAD], [UNK] and the exclamation mark, which stand in no word
    folder = write_model(tmp_path / "prior", vectors)
    with pytest.raises(DataError, match=r"--text-prior .*found only zeros; give a trained model"):
        read_prior(str(folder))
    vectors[3, 0] = 1e-3
    assert read_prior(str(write_model(tmp_path / "prior", vectors))).vectors.any()

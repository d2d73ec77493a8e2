"""Train the name tagger from gold and abstracts, stage by stage; run it with ``scripts/train``.

Each stage reads files and writes files under the work folder, is skipped where its file is
there, and has a fixed seed. The shipped weights were made with these stages and settings.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from _paths import SHARED
from torch import distributed, multiprocessing
from training import export, fit, knowledge, network, pack, silver
from training.corpora import (
    ANNOTATED,
    FOLDS,
    abstracts,
    annotated,
    fold_of,
    read,
    save_readings,
)
from training.data import Example, example
from training.encoder import pretrained

from kg.ner import files
from kg.ner.features import Knowledge
from kg.ner.learned import Tagger
from kg.ner.words import WordPieces

log = logging.getLogger(__name__)
#: How the second teacher learns: in half precision, 1.6 times as fast where the CPU has it.
TEACHER_PLAN = fit.Plan(
    3, batch=16, encoder_rate=1e-4, head_rate=1e-3, train_pieces=False, warm=0.05, half=True
)
#: How the second and third students learn from what is annotated.
GOLD_PLAN = fit.Plan(3, batch=16, head_rate=1e-3, train_pieces=False)
#: the networks of a gear, whose probabilities are averaged
GEARS = {"fast": ("fast3.pt",), "accurate": ("teacher2.pt", "fast3.pt")}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the data is and where the work goes."""

    shared: Path
    work: Path
    processes: int

    def gold(self, name: str) -> list[dict[str, Any]]:
        """The documents of one gold file."""
        return read(self.shared / "gold" / f"{name}.jsonl")

    @property
    def corpus(self) -> Path:
        """The abstracts."""
        return self.shared / "corpora/abstracts.jsonl.gz"

    def known(self) -> Knowledge:
        """What the ``knowledge`` stage wrote."""
        return knowledge.read(self.work / "knowledge.json.gz")


def pieces() -> WordPieces:
    """The word pieces of the published encoder."""
    return WordPieces({piece: number for number, piece in enumerate(pretrained().vocabulary)})


def start(design: network.Design) -> network.Network:
    """A new network around the published encoder."""
    made = network.Network(design)
    made.encoder.take(pretrained().weights)
    return made


def make_knowledge(place: Place, out: Path) -> None:
    """Gazetteers and word frequencies, from the lexicon and all abstracts."""
    texts = [row["text"] for row in abstracts(place.corpus)]
    words = knowledge.frequencies(texts)
    knowledge.write(out, [knowledge.lexicon(place.shared / "corpora/lexicon", words)], words)


def gold_examples(place: Place, name: str) -> list[Example]:
    """A gold file in numbers."""
    return [example(document, pieces(), place.known()) for document in place.gold(name)]


def design(place: Place, *, layers: int, depth: int) -> network.Design:
    """The networks that are shipped differ in how deep they are."""
    return network.Design(len(pieces().vocabulary), place.known().width, layers, "lstm", depth, 256)


def train_teacher(place: Place, out: Path) -> None:
    """All six layers of the encoder and one bidirectional layer over words, on gold."""
    plan = fit.Plan(6, batch=8, encoder_rate=2e-4, train_pieces=False)
    together(place, start_of(place, 6, 1), gold_examples(place, "train"), plan, out)


def train_early(place: Place, out: Path) -> None:
    """The fast network on gold alone, from which the student goes on."""
    plan = fit.Plan(14, last=6, batch=8, head_rate=2e-3, train_pieces=False)
    together(place, start_of(place, 0, 2), gold_examples(place, "train"), plan, out)


def label_silver(place: Place, out: Path) -> None:
    """The teacher's opinion of 6,300 abstracts."""
    labelled(place, ("teacher.pt",), 6300, 5, out)


def label_again(place: Place, out: Path) -> None:
    """What teacher and fast network together say of 24,000 abstracts."""
    labelled(place, ("teacher.pt", "fast.pt"), 24000, 11, out)


def labelled(place: Place, names: tuple[str, ...], number: int, seed: int, out: Path) -> None:
    """Draw abstracts and write what these networks say of them beside ``out``."""
    gold = [document for name in ("train", "dev", "seed-dev") for document in place.gold(name)]
    drawn = silver.sample(place.corpus, gold, number, seed)
    put(place, "accurate", names)
    silver.label(drawn, out.with_suffix(""), Tagger.load("accurate"))
    out.touch()


def train_student(place: Place, out: Path) -> None:
    """The fast network on the teacher's distributions."""
    found = list(silver.examples(place.work / "silver", pieces(), place.known()))
    plan = fit.Plan(2, batch=32, head_rate=2.5e-3, train_pieces=False, warm=0.05)
    together(place, network.load(place.work / "early.pt"), found, plan, out)


def train_fast(place: Place, out: Path) -> None:
    """The student once more on gold."""
    plan = fit.Plan(3, batch=16, head_rate=1e-3, train_pieces=False)
    together(
        place, network.load(place.work / "student.pt"), gold_examples(place, "train"), plan, out
    )


def train_second(place: Place, out: Path) -> None:
    """A new fast network on those distributions alone."""
    found = list(silver.examples(place.work / "silver2", pieces(), place.known()))
    plan = fit.Plan(3, batch=16, head_rate=2e-3, train_pieces=False, warm=0.05)
    together(place, start_of(place, 0, 2), found, plan, out)


def annotated_examples(place: Place) -> list[Example]:
    """The gold's train and what was annotated besides, in numbers."""
    documents = [*place.gold("train"), *annotated(ANNOTATED, place.corpus)]
    return [example(document, pieces(), place.known()) for document in documents]


def train_fast_again(place: Place, out: Path) -> None:
    """It once more on gold and on what was annotated besides, in one process."""
    on_annotations(place, "student2.pt", out)


def on_annotations(place: Place, start_from: str, out: Path) -> None:
    """A fast network once more on all that is annotated, in one process."""
    made = network.load(place.work / start_from)
    torch.set_num_threads(1)
    fit.fit(made, annotated_examples(place), GOLD_PLAN)
    network.save(made, out)


def train_teacher_again(place: Place, out: Path) -> None:
    """The teacher on 16,000 of the second silver abstracts, then on all that is annotated."""
    silver2 = list(silver.examples(place.work / "silver2", pieces(), place.known()))
    made = network.load(place.work / "teacher.pt")
    on_silver = place.work / "teacher2.silver.pt"
    together(place, made, silver2[-16000:], replace(TEACHER_PLAN, epochs=1), on_silver)
    made = network.load(on_silver)
    together(place, made, annotated_examples(place), TEACHER_PLAN, out)


def label_third(place: Place, out: Path) -> None:
    """What the better teacher and the second fast network say of 10,000 of those abstracts."""
    put(place, "accurate", ("teacher2.pt", "fast2.pt"))
    drawn = [
        document
        for path in sorted((place.work / "silver2").glob("[0-9]*.npz"))[:100]
        for document in silver.documents(path)
    ]
    silver.label(drawn, out.with_suffix(""), Tagger.load("accurate"))
    out.touch()


def train_third(place: Place, out: Path) -> None:
    """The second student once more on these."""
    found = list(silver.examples(place.work / "silver3", pieces(), place.known()))
    plan = fit.Plan(1, batch=16, head_rate=1e-3, train_pieces=False, warm=0.05, seed=3)
    together(place, network.load(place.work / "student2.pt"), found, plan, out)


def train_fast_third(place: Place, out: Path) -> None:
    """The third student on all that is annotated."""
    on_annotations(place, "student3.pt", out)


def hold_out(place: Place, out: Path) -> None:
    """What the student says of annotated documents after learning from the others, five times.

    All that weighs the tagger's opinions is fitted on these: of what it learned from it is surer
    than it will ever be of a new text.
    """
    found = annotated_examples(place)
    with multiprocessing.get_context("fork").Pool(place.processes) as pool:
        said = pool.map(_held_out, [(place.work, found, fold) for fold in range(FOLDS)], 1)
    save_readings(out, {one.id: reading for part in said for one, reading in part})


def _held_out(task: tuple[Path, list[Example], int]) -> list[tuple[Example, fit.Output]]:
    work, found, fold = task
    torch.set_num_threads(1)
    made = network.load(work / "student3.pt")
    fit.fit(made, [one for one in found if fold_of(one.id) != fold], GOLD_PLAN)
    held = [one for one in found if fold_of(one.id) == fold]
    return list(zip(held, fit.outputs(made, held), strict=True))


def ship(place: Place, out: Path) -> None:
    """Both gears in the package."""
    for gear, names in GEARS.items():
        put(place, gear, names)
    out.touch()


def put(place: Place, gear: str, names: tuple[str, ...]) -> None:
    """The files of one gear, of these networks."""
    files.WEIGHTS.mkdir(exist_ok=True)
    for name in names:
        made = network.load(place.work / name)
        integer = ("MatMul",) if made.design.layers else ("LSTM",)
        export.export(made, files.WEIGHTS / packed(name), integer=integer)
    export.export_table(made, files.WEIGHTS)
    shutil.copy(place.work / "knowledge.json.gz", files.WEIGHTS / "knowledge.json.gz")
    vocabulary = "\n".join(pretrained().vocabulary)
    (files.WEIGHTS / "vocabulary.txt").write_text(vocabulary, encoding="utf-8")
    pack.manifest(**{gear: [packed(name) for name in names]})


def packed(name: str) -> str:
    """The name in the package of a network's file."""
    return Path(name).with_suffix(".onnx").name


def start_of(place: Place, layers: int, depth: int) -> network.Network:
    """A new network with its seed set."""
    torch.manual_seed(1)
    return start(design(place, layers=layers, depth=depth))


def together(
    place: Place, made: network.Network, found: list[Example], plan: fit.Plan, out: Path
) -> None:
    """Train in processes of one thread each: they wait for each other less than threads do."""
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="29500")
    # Forked, so that thousands of examples need not be handed over file by file.
    multiprocessing.start_processes(
        _one_of,
        (place.processes, made, found, plan, out),
        nprocs=place.processes,
        start_method="fork",
    )


def _one_of(
    rank: int, size: int, made: network.Network, found: list[Example], plan: fit.Plan, out: Path
) -> None:
    logging.basicConfig(level=logging.INFO if rank == 0 else logging.WARNING)
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", rank=rank, world_size=size)
    fit.fit(made, found, plan)
    if rank == 0:
        network.save(made, out)
    distributed.destroy_process_group()


#: stage -> what it writes, how
STAGES: dict[str, tuple[str, Callable[[Place, Path], None]]] = {
    "knowledge": ("knowledge.json.gz", make_knowledge),
    "teacher": ("teacher.pt", train_teacher),
    "early": ("early.pt", train_early),
    "silver": ("silver.done", label_silver),
    "student": ("student.pt", train_student),
    "fast": ("fast.pt", train_fast),
    "silver2": ("silver2.done", label_again),
    "student2": ("student2.pt", train_second),
    "fast2": ("fast2.pt", train_fast_again),
    "teacher2": ("teacher2.pt", train_teacher_again),
    "silver3": ("silver3.done", label_third),
    "student3": ("student3.pt", train_third),
    "fast3": ("fast3.pt", train_fast_third),
    "heldout": ("heldout.npz", hold_out),
    "ship": ("ship.done", ship),
}


def main() -> None:
    """Run the stages whose files are not there."""
    parser = argparse.ArgumentParser(prog="train", description=__doc__)
    parser.add_argument("--only", choices=STAGES, help="this stage alone, even if it was done")
    parser.add_argument("--work", type=Path, default=Path("build/train"), help="where files go")
    parser.add_argument("--processes", type=int, default=2, help="how many learn together")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if not (SHARED / "gold" / "train.jsonl").is_file():
        parser.error(f"{SHARED} holds no gold/train.jsonl; set MLKG_SHARED")
    place = Place(SHARED, options.work, options.processes)
    place.work.mkdir(parents=True, exist_ok=True)
    for name, (file, run) in STAGES.items():
        out = place.work / file
        if options.only == name or (options.only is None and not out.exists()):
            log.info("stage %s", name)
            run(place, out)


if __name__ == "__main__":
    main()

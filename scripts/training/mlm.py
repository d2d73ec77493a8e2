"""Go on with masked-language training of the encoder, on abstracts of the field."""

from __future__ import annotations

import gzip
import json
import logging
import random
import time
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from training.encoder import HIDDEN, Encoder, pretrained

from kg.ner.words import SHAPE_NUMBER, WordPieces, shape, split

log = logging.getLogger(__name__)
LONGEST, BATCH, MASKED, RATE = 320, 16, 0.2, 4e-4


def sample(path: Path, number: int, seed: int) -> list[str]:
    """That many texts (title, line feed, abstract), drawn from the whole file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        f"{row['title']}\n{row['abstract']}"
        for row in random.Random(seed).sample(rows, number)  # a sample
    ]


def encode(text: str, pieces: WordPieces) -> tuple[list[int], list[int]]:
    """The pieces of a text between CLS and SEP, and the shape of the word of each."""
    numbers, shapes = [pieces.vocabulary["[CLS]"]], [0]
    for word in split(text):
        found = pieces(word.text)
        numbers.extend(found)
        shapes.extend([shape(word.text)] * len(found))
    return [*numbers[: LONGEST - 1], pieces.vocabulary["[SEP]"]], [*shapes[: LONGEST - 1], 0]


def mask(
    numbers: Tensor, real: Tensor, mask_number: int, size: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """BERT's masking: the input with a fifth of its pieces hidden, and which were."""
    chance = torch.rand(numbers.shape, generator=generator)
    hidden = (chance < MASKED) & real
    kind = torch.rand(numbers.shape, generator=generator)
    anything = torch.randint(1000, size, numbers.shape, generator=generator)
    shown = torch.where(
        kind < 0.85,
        torch.full_like(numbers, mask_number),
        torch.where(kind < 0.92, anything, numbers),
    )
    return torch.where(hidden, shown, numbers), hidden


def train(abstracts: Path, out: Path, *, documents: int, minutes: float, seed: int) -> None:
    """Write the encoder's weights after one pass over so many abstracts, or when the time is up."""
    torch.manual_seed(seed)
    base = pretrained()
    vocabulary = {piece: number for number, piece in enumerate(base.vocabulary)}
    pieces = WordPieces(vocabulary)
    encoder = Encoder(len(vocabulary))
    encoder.take(base.weights)
    head = nn.Sequential(nn.Linear(HIDDEN, HIDDEN), nn.GELU(), nn.LayerNorm(HIDDEN))
    bias = nn.Parameter(torch.zeros(len(vocabulary)))
    scale = nn.Parameter(torch.tensor(0.05 * 20))
    texts = [encode(text, pieces) for text in sample(abstracts, documents, seed)]
    texts.sort(key=lambda text: len(text[0]))
    batches = [texts[i : i + BATCH] for i in range(0, len(texts), BATCH)]
    random.Random(seed).shuffle(batches)  # an order
    inside = [p for n, p in encoder.named_parameters() if not n.startswith("piece.")]
    optimiser = torch.optim.AdamW(
        [{"params": inside, "lr": RATE}, {"params": encoder.piece.parameters(), "lr": RATE / 4},
         {"params": [*head.parameters(), bias, scale], "lr": 3 * RATE}],
        weight_decay=0.01,
    )  # fmt: skip
    rates = [group["lr"] for group in optimiser.param_groups]
    generator = torch.Generator().manual_seed(seed)
    begun, losses = time.monotonic(), []
    for step, batch in enumerate(batches):
        spent = max(step / len(batches), (time.monotonic() - begun) / 60 / minutes)
        if spent >= 1:
            break
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * min(1.0, (step + 1) / 60) * (1 - spent)
        length = max(len(numbers) for numbers, _ in batch)
        numbers = torch.zeros(len(batch), length, dtype=torch.long)
        shapes = torch.zeros_like(numbers)
        for row, (found, kinds) in enumerate(batch):
            numbers[row, : len(found)] = torch.tensor(found)
            shapes[row, : len(kinds)] = torch.tensor(kinds)
        real = numbers != 0
        shown, hidden = mask(
            numbers, real & (numbers > 999), vocabulary["[MASK]"], len(vocabulary), generator
        )
        shapes = torch.where(
            hidden & (torch.rand(shapes.shape, generator=generator) < 0.5),
            SHAPE_NUMBER["other"],
            shapes,
        )
        states = head(encoder(shown, shapes, real)[hidden])
        loss = F.cross_entropy(states @ encoder.piece.weight.T * scale + bias, numbers[hidden])
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
        optimiser.step()
        losses.append(float(loss.detach()))
        if step % 50 == 49:
            recent = sum(losses[-50:]) / 50
            log.info(
                "mlm step %d of %d, %.0f s, loss %.3f",
                step + 1,
                len(batches),
                time.monotonic() - begun,
                recent,
            )
    torch.save(encoder.state_dict(), out.with_suffix(".part"))
    out.with_suffix(".part").rename(out)

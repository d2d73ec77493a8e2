"""Train a tagger's network on examples, and tag examples with it."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.nn import functional as F
from training.data import IGNORED, Batch, Example, batches, windows
from training.network import Network

from kg.ner.tags import TAGS, best_tags, decode

log = logging.getLogger(__name__)
CLS, SEP = 101, 102


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast to learn."""

    epochs: int
    #: the epoch to end with, if that is before the last that the learning rate is planned for
    last: int | None = None
    batch: int = 8
    encoder_rate: float = 1e-4
    head_rate: float = 1e-3
    layer_decay: float = 0.85
    train_pieces: bool = True
    warm: float = 0.1
    smoothing: float = 0.0
    forget: float = 0.04  # share of pieces that are hidden while learning
    blind: float = 0.1  # share of words whose gazetteer numbers are hidden while learning
    seed: int = 1
    half: bool = False  # whether to compute in bfloat16


@dataclass(frozen=True, slots=True)
class Output:
    """What the network says of one document."""

    log_probabilities: np.ndarray  # words x tags
    plural: np.ndarray  # probability that the final s is no part of the name
    introduced: np.ndarray  # probability that the name is the paper's own


def loss(network: Network, batch: Batch, plan: Plan, draw: torch.Generator) -> Tensor:
    """Cross entropy to gold tags, or to the teacher's distribution where there is one."""
    pieces, kinds, piece_mask, first, last, shapes, rows, mask = batch.inputs
    hidden = (torch.rand(pieces.shape, generator=draw) < plan.forget) & (pieces > 999)
    pieces = torch.where(hidden, 103, pieces)
    seen = (torch.rand(rows.shape[:2], generator=draw) >= plan.blind).float()[:, :, None]
    rows = torch.cat([rows[:, :, :15], rows[:, :, 15:] * seen], dim=2)
    scores, plural, introduced = network(pieces, kinds, piece_mask, first, last, shapes, rows, mask)
    if batch.soft is not None:
        soft, soft_plural, soft_introduced = batch.soft
        likely = F.log_softmax(scores, dim=2)
        tag_loss = -(soft * likely).sum(2)[mask].mean()
        named = mask & (soft[:, :, 0] < 0.5)
        if not named.any():
            return tag_loss
        extra = F.binary_cross_entropy_with_logits(introduced[named], soft_introduced[named])
        return (
            tag_loss
            + 0.15 * extra
            + 0.05 * F.binary_cross_entropy_with_logits(plural[named], soft_plural[named])
        )
    total = F.cross_entropy(scores[mask], batch.tags[mask], label_smoothing=plan.smoothing)
    for values, targets, weight in (
        (plural, batch.plural, 0.05),
        (introduced, batch.introduced, 0.15),
    ):
        known = targets != IGNORED
        if known.any():
            total = total + weight * F.binary_cross_entropy_with_logits(
                values[known], targets[known].float()
            )
    return total


def optimiser(network: Network, plan: Plan) -> torch.optim.AdamW:
    """Lower layers learn slower."""
    groups = []
    depth = network.design.layers
    for name, parameter in network.named_parameters():
        if name.startswith("encoder.layers."):
            rate = plan.encoder_rate * plan.layer_decay ** (depth - 1 - int(name.split(".")[2]))
        elif name == "encoder.shape.weight":
            rate = plan.head_rate
        elif name.startswith("encoder.") and depth:
            rate = plan.encoder_rate * plan.layer_decay**depth
            if name == "encoder.piece.weight" and not plan.train_pieces:
                parameter.requires_grad = False
                continue
        elif name.startswith("encoder."):
            rate = plan.encoder_rate
        else:
            rate = plan.head_rate
        groups.append(
            {
                "params": [parameter],
                "lr": rate,
                "full": rate,
                "weight_decay": 0.01 if parameter.dim() > 1 else 0.0,
            }
        )
    return torch.optim.AdamW(groups)


def share_gradients(network: Network) -> None:
    """Average the gradients over the processes that train together."""
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    place = 0
    for gradient in gradients:
        gradient.copy_(flat[place : place + gradient.numel()].view_as(gradient))
        place += gradient.numel()


def fit(
    network: Network,
    examples: Sequence[Example],
    plan: Plan,
    after: Callable[[int], None] | None = None,
) -> None:
    """Train in place; ``after(epoch)`` is called at the end of each epoch.

    Processes of a ``torch.distributed`` group each take their part of every batch, and stay equal.
    """
    together = distributed.is_available() and distributed.is_initialized()
    rank, parts = (distributed.get_rank(), distributed.get_world_size()) if together else (0, 1)
    torch.manual_seed(plan.seed + rank)
    draw, generator = (
        random.Random(plan.seed),
        torch.Generator().manual_seed(plan.seed + rank),
    )
    cut = [part for one in examples for _, part in windows(one)]
    steps = -(-len(cut) // plan.batch) * plan.epochs
    adam = optimiser(network, plan)
    step = 0
    for epoch in range(plan.epochs):
        begun, losses = time.monotonic(), []
        network.train()
        for batch in batches(cut, plan.batch, draw, CLS, SEP, part=(rank, parts)):
            share = min(
                (step + 1) / (plan.warm * steps), (steps - step) / ((1 - plan.warm) * steps)
            )
            for group in adam.param_groups:
                group["lr"] = group["full"] * share
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=plan.half):
                value = loss(network, batch, plan, generator)
            adam.zero_grad()
            value.backward()
            if together:
                share_gradients(network)
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            adam.step()
            losses.append(float(value.detach()))
            step += 1
            if step % 100 == 0:
                log.info(
                    "step %d of %d, loss %.4f", step, steps, sum(losses[-100:]) / len(losses[-100:])
                )
        log.info(
            "epoch %d: loss %.4f, %.0f s",
            epoch + 1,
            sum(losses) / len(losses),
            time.monotonic() - begun,
        )
        if after:
            after(epoch + 1)
        if epoch + 1 == plan.last:
            return


def merge(one: Example, parts: Sequence[tuple[int, Output]]) -> Output:
    """Overlapping windows as one; each word from where it is farthest from an edge."""
    if len(parts) == 1:
        return parts[0][1]
    length = len(one.words)
    margins = np.full((len(parts), length), -1.0)
    for k, (first, part) in enumerate(parts):
        size = len(part.plural)
        inside = np.minimum(
            np.arange(size) + (length if first == 0 else 0),
            np.arange(size)[::-1] + (length if first + size == length else 0),
        )
        margins[k, first : first + size] = inside
    chosen = margins.argmax(axis=0)
    rows = [(parts[k][1], i - parts[k][0]) for i, k in enumerate(chosen)]
    return Output(
        np.stack([part.log_probabilities[i] for part, i in rows]),
        np.array([part.plural[i] for part, i in rows]),
        np.array([part.introduced[i] for part, i in rows]),
    )


def outputs(network: Network, examples: Sequence[Example], batch: int = 16) -> list[Output]:
    """What the network says of each document, in the order given."""
    network.eval()
    cut = [(d, first, part) for d, one in enumerate(examples) for first, part in windows(one)]
    order = sorted(range(len(cut)), key=lambda k: cut[k][2].size)
    found: dict[int, list[tuple[int, Output]]] = {}
    with torch.inference_mode():
        for i in range(0, len(order), batch):
            chosen = [cut[k] for k in order[i : i + batch]]
            for group in batches([part for _, _, part in chosen], batch, None, CLS, SEP):
                scores, plural, introduced = network(*group.inputs)
                likely = F.log_softmax(scores, dim=2).numpy()
                plural, introduced = (
                    torch.sigmoid(plural).numpy(),
                    torch.sigmoid(introduced).numpy(),
                )
            for row, (d, first, part) in enumerate(chosen):
                size = len(part.words)
                found.setdefault(d, []).append(
                    (first, Output(likely[row, :size], plural[row, :size], introduced[row, :size]))
                )
    return [
        merge(one, sorted(found[d], key=lambda pair: pair[0])) for d, one in enumerate(examples)
    ]


def spans(one: Example, output: Output, tags: Sequence[int]) -> list[tuple[int, int, str, float]]:
    """Character spans with label and the chance of being introduced."""
    found = []
    for span in decode(tags):
        word = one.words[span.last]
        end = word.end - int(
            word.text[-1] == "s" and len(word.text) > 2 and output.plural[span.last] > 0.5
        )
        own = float(output.introduced[span.first : span.last + 1].mean())
        found.append((one.words[span.first].start, end, span.label, own))
    return found


def mention_f1(
    documents: Sequence[dict], examples: Sequence[Example], said: Sequence[Output]
) -> dict[str, float]:
    """Exact-span F1 as score.py counts it: all, span alone and by label."""
    counts: dict[str, list[int]] = {}
    tags = best_tags([output.log_probabilities for output in said])
    for document, one, output, found in zip(documents, examples, said, tags, strict=True):
        gold = {
            (s, e, entity["label"])
            for entity in document["entities"]
            for s, e in entity["mentions"]
        }
        mine = {(s, e, label) for s, e, label, _ in spans(one, output, found)}
        pairs = {"all": (gold, mine), "span": ({g[:2] for g in gold}, {m[:2] for m in mine})}
        for label in {item[2] for item in gold | mine}:
            pairs[label] = ({g for g in gold if g[2] == label}, {m for m in mine if m[2] == label})
        for key, (theirs, ours) in pairs.items():
            total = counts.setdefault(key, [0, 0, 0])
            total[0] += len(theirs & ours)
            total[1] += len(ours)
            total[2] += len(theirs)
    return {
        key: round(2 * hit / (said_ + gold_), 4) if said_ + gold_ else 0.0
        for key, (hit, said_, gold_) in sorted(counts.items())
    }


__all__ = ["CLS", "SEP", "TAGS", "Output", "Plan", "fit", "mention_f1", "outputs", "spans"]

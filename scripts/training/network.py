"""The tagger's network: an encoder of any depth, words with features, a mixer, three heads."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from training.encoder import HIDDEN, Encoder

from kg.ner.tags import TAGS
from kg.ner.words import SHAPES


@dataclass(frozen=True, slots=True)
class Design:
    """What a network is made of."""

    pieces: int
    rows: int  # features of a word
    layers: int = 6
    mixer: str = "lstm"
    depth: int = 1
    width: int = 256
    dropout: float = 0.1


class Convolution(nn.Module):
    """A gated convolution over words with what came in added."""

    def __init__(self, width: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.wide = nn.Conv1d(width, 2 * width, 3, padding=dilation, dilation=dilation)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Words that have seen their neighbours; ``mask`` is 1 where there is a word."""
        value, gate = (
            self.wide((self.norm(x) * mask).transpose(1, 2)).transpose(1, 2).chunk(2, dim=2)
        )
        return x + self.drop(value * torch.sigmoid(gate))


class Network(nn.Module):
    """Tag scores, plural score and introduced score of every word."""

    def __init__(self, design: Design) -> None:
        super().__init__()
        self.design = design
        width = design.width
        self.encoder = Encoder(design.pieces, design.layers, design.dropout)
        self.shape = nn.Embedding(len(SHAPES), 24)
        self.join = nn.Sequential(
            nn.Linear(HIDDEN + 24 + design.rows, width), nn.GELU(), nn.LayerNorm(width)
        )
        self.drop = nn.Dropout(0.3)
        if design.mixer == "lstm":
            self.lstm = nn.LSTM(
                width, width // 2, num_layers=design.depth, bidirectional=True, batch_first=True
            )
        else:
            self.convolutions = nn.ModuleList(
                Convolution(width, 2 ** (i % 4), 0.15) for i in range(design.depth)
            )
        self.heads = nn.Linear(width, len(TAGS) + 2)

    def forward(
        self, pieces: Tensor, piece_shapes: Tensor, piece_mask: Tensor, first: Tensor, last: Tensor,
        shapes: Tensor, rows: Tensor, mask: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        """Scores before softmax and sigmoid, by document and word."""
        states = self.encoder(pieces, piece_shapes, piece_mask)
        return self.read(states, first, last, shapes, rows, mask)

    def read(
        self,
        states: Tensor,
        first: Tensor,
        last: Tensor,
        shapes: Tensor,
        rows: Tensor,
        mask: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The same from the encoder's states."""
        wide = states.shape[2]
        words = states.gather(1, first[:, :, None].expand(-1, -1, wide)) + states.gather(
            1, last[:, :, None].expand(-1, -1, wide)
        )
        real = mask[:, :, None].to(states.dtype)
        x = self.join(torch.cat([self.drop(words) * 0.5, self.shape(shapes), rows], dim=2))
        x = self.drop(x) * real
        if self.design.mixer == "lstm":
            # not packed: packing makes the backward pass quadratic in the length
            mixed, _ = self.lstm(x)
            x = x + mixed
        else:
            for layer in self.convolutions:
                x = layer(x, real)
        out = self.heads(self.drop(x))
        return out[:, :, :-2], out[:, :, -2], out[:, :, -1]


def save(network: Network, path: Any, **more: Any) -> None:
    """Write design and weights; read with :func:`load`."""
    part = path.with_suffix(".part")
    torch.save({"design": asdict(network.design), "weights": network.state_dict(), **more}, part)
    part.rename(path)


def load(path: Any) -> Network:
    """The network that :func:`save` wrote."""
    stored = torch.load(path, weights_only=True)
    network = Network(Design(**stored["design"]))
    network.load_state_dict(stored["weights"])
    return network

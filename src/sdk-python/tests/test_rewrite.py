"""What `@agent` makes of a function, without a server: a block that plays what is recorded."""

from __future__ import annotations

import asyncio
import traceback
import unittest

from omium._rewrite import rewrite


class Block:
    """Runs when nothing is recorded under its name, else is skipped; keeps what the function tells it."""

    recorded: dict = {}

    def __init__(self, name):
        self.name = name

    def _enters(self):
        return self.name not in self.recorded

    def _finishes(self, names, assigned):
        self.recorded[self.name] = {"names": {name: names[name] for name in assigned if name in names}}

    def _returns(self, names, assigned, result):
        self._finishes(names, assigned)
        self.recorded[self.name]["result"] = result

    def _fails(self, error):
        self.recorded.setdefault("failed", []).append((self.name, type(error).__name__))

    def _has(self, name):
        return name in self.recorded[self.name]["names"]

    def _get(self, name):
        return self.recorded[self.name]["names"][name]

    def _has_returned(self):
        return "result" in self.recorded[self.name]

    def _result(self):
        return self.recorded[self.name]["result"]

    async def _enters_async(self):
        return self._enters()

    async def _finishes_async(self, names, assigned):
        self._finishes(names, assigned)

    async def _returns_async(self, names, assigned, result):
        self._returns(names, assigned, result)

    async def _fails_async(self, error):
        self._fails(error)


ran: list = []


def made(function):
    return rewrite(function, lambda found: found is Block)


class Parent:
    def greet(self):
        return "parent"


class RewriteTests(unittest.TestCase):
    def setUp(self) -> None:
        Block.recorded = {}
        ran.clear()

    def twice(self, function, *given):
        first = function(*given)
        self.assertEqual(first, function(*given))
        return first

    def test_EveryWayOfAssigning_ComesBack(self):
        def function(values):
            total = 1
            with Block("all") as block:
                ran.append("all")
                total += 2
                (first, *rest), last = values[:-1], values[-1]
                for index, item in enumerate(rest):
                    seen = item
                with open(__file__, encoding="utf-8") as file:
                    line = len(file.readline()) > 0
                    file = None
                if (count := len(values)) > 2:
                    big = True
                squares = [x * x for x in values]
                typed: int = 5
            return total, first, rest, last, index, seen, line, count, big, squares, typed, block.name

        self.assertEqual((3, 1, [2], 3, 0, 2, True, 3, True, [1, 4, 9], 5, "all"), self.twice(made(function), [1, 2, 3]))
        self.assertEqual(["all"], ran)

    def test_NamesThatABlockDidNotAssign_KeepWhatTheyWere(self):
        def function(flag):
            kept = "before"
            with Block("maybe"):
                if flag:
                    kept = "within"
            return kept

        self.assertEqual("before", self.twice(made(function), False))

    def test_Return_InBlocksWithinBlocks_IsRecordedWithEach(self):
        def function():
            with Block("outer"):
                with Block("inner"):
                    ran.append("inner")
                    return 7
            return 8

        self.assertEqual(7, self.twice(made(function)))
        self.assertEqual((7, 7, ["inner"]), (Block.recorded["outer"]["result"], Block.recorded["inner"]["result"], ran))

    def test_Exception_IsToldAndGoesOn(self):
        def function():
            with Block("breaks"):
                raise KeyError("x")

        with self.assertRaises(KeyError):
            made(function)()
        self.assertEqual([("breaks", "KeyError")], Block.recorded["failed"])

    def test_Async_IsAwaited(self):
        async def function():
            with Block("slow"):
                await asyncio.sleep(0)
                value = await asyncio.sleep(0, 4)
            return value

        rewritten = made(function)
        self.assertEqual([4, 4], [asyncio.run(rewritten()), asyncio.run(rewritten())])

    def test_Closure_DefaultsAndKeywords_AreTheFunctionsOwn(self):
        shared = [10]

        def function(a, b=2, *, c=3):
            with Block("sum"):
                total = a + b + c + shared[0]
            return total

        rewritten = made(function)
        shared[0] = 20
        self.assertEqual((26, 26), (rewritten(1), rewritten(1)))
        self.assertEqual(("function", "function"), (rewritten.__name__, rewritten.__wrapped__.__name__))

    def test_Method_WithSuperAndPrivateNames_IsItsClasss(self):
        class Child(Parent):
            def __init__(self):
                self.__secret = 3

            def greet(self):
                with Block("greet"):
                    word = super().greet() + str(self.__secret)
                return word

        Child.greet = made(Child.greet)
        self.assertEqual("parent3", self.twice(Child().greet))

    def test_Traceback_NamesTheLineAsItIsWritten(self):
        def function():
            with Block("breaks"):
                raise ValueError("here")

        try:
            made(function)()
        except ValueError as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
        self.assertEqual((__file__, 'raise ValueError("here")'), (frame.filename, frame.line))

    def test_FunctionWithoutBlocks_IsLeftAsItIs(self):
        def function():
            return 1

        self.assertIs(function, made(function))

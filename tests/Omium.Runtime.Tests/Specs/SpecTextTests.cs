using System.Text;
using Omium.Kernel.Json;
using Omium.Runtime.Specs;

namespace Omium.Runtime.Tests.Specs;

public class SpecTextTests
{
    [Theory]
    [InlineData("on: success", """{"on":"success"}""")]
    [InlineData("a: no", """{"a":"no"}""")]
    [InlineData("a: [yes, off, on, y]", """{"a":["yes","off","on","y"]}""")]
    [InlineData("a: [true, False, null, ~, ]", """{"a":[true,false,null,null]}""")]
    [InlineData("a:", """{"a":null}""")]
    [InlineData("a: [1, -2, +3, 007, 0o17, 0xFF, 1.5, .5, 5., 1e3]", """{"a":[1,-2,3,7,15,255,1.5,0.5,5,1000]}""")]
    [InlineData("a: ['1', \"true\", 1s, 1_000, 0b1, 12:30, 2026-01-01]", """{"a":["1","true","1s","1_000","0b1","12:30","2026-01-01"]}""")]
    [InlineData("a: |\n  x\n  y\nb: >-\n  x\n  y\n", """{"a":"x\ny\n","b":"x y"}""")]
    [InlineData("1: a\ntrue: b", """{"1":"a","true":"b"}""")]
    [InlineData("---\na: 1\n...\n", """{"a":1}""")]
    [InlineData("\uFEFFa: 1", """{"a":1}""")]
    [InlineData("{a: b, c: [d]}", """{"a":"b","c":["d"]}""")]
    [InlineData("""{"b": "\ud83d\ude00", "a": 1.0}""", """{"a":1,"b":"😀"}""")]
    [InlineData("<<: 1", """{"<<":1}""")]
    public void TryRead_Text_IsCanonicalJson(string text, string expected)
    {
        Assert.True(SpecText.TryRead(text, out var value, out var problem), problem?.ToString());

        Assert.Equal(expected, Encoding.UTF8.GetString(CanonicalJson.Canonicalize(value)));
    }

    [Theory]
    [InlineData("a: 1\nb: 2\na: 3", "yaml_duplicate_key", 3, 1)]
    [InlineData("a: &x 1\nb: *x", "yaml_alias", 1, 4)]
    [InlineData("a: *x", "yaml_alias", 1, 4)]
    [InlineData("a:\n  b: !!int 3", "yaml_tag", 2, 6)]
    [InlineData("? [a]\n: 1", "yaml_key", 1, 3)]
    [InlineData("a: .inf", "yaml_number", 1, 4)]
    [InlineData("a: 9007199254740993", "yaml_number", 1, 4)]
    [InlineData("a: 1e999", "yaml_number", 1, 4)]
    [InlineData("a: 1\n---\nb: 2", "yaml_several_documents", 2, 1)]
    [InlineData("", "text_empty", 1, 1)]
    [InlineData("# only a comment", "text_empty", 2, 1)]
    [InlineData("a: [1, 2", "yaml_syntax", 2, 1)]
    [InlineData("a: 1\n\tb: 2", "yaml_syntax", 1, 4)]
    [InlineData("{\"a\": 1,\n \"a\": 2}", "json_duplicate_name", 2, 2)]
    public void TryRead_BadText_SaysWhatAndWhere(string text, string code, int line, int column)
    {
        Assert.False(SpecText.TryRead(text, out _, out var problem));

        Assert.Equal((code, line, column), (problem!.Code, problem.Line, problem.Column));
        Assert.NotEmpty(problem.Message);
    }

    [Fact]
    public void TryRead_DuplicateKey_NamesTheFirstLine()
    {
        Assert.False(SpecText.TryRead("a: 1\nb: 2\na: 3", out _, out var problem));

        Assert.Contains("line 1", problem!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[", "]")]
    [InlineData("{a: ", "}")]
    [InlineData("- ", "")]
    public void TryRead_Nesting_IsBounded(string open, string close)
    {
        Assert.True(SpecText.TryRead(Nested(60), out _, out var problem), problem?.ToString());
        Assert.False(SpecText.TryRead(Nested(70), out _, out problem));
        Assert.Contains("too_deep", problem!.Code, StringComparison.Ordinal);
        Assert.False(SpecText.TryRead(Nested(100_000), out _, out problem));

        string Nested(int levels) => string.Concat(Enumerable.Repeat(open, levels)) + "x" + string.Concat(Enumerable.Repeat(close, levels));
    }

    [Fact]
    public void TryRead_TooLarge_IsRefusedBeforeItIsRead()
    {
        Assert.False(SpecText.TryRead("a: " + new string('x', 4 * 1024 * 1024), out _, out var problem));

        Assert.Equal("text_too_large", problem!.Code);
    }

    [Fact]
    public void TryRead_NotUtf8_IsRefused()
    {
        Assert.False(SpecText.TryRead([0x61, 0x3A, 0x20, 0xFF], out _, out var problem));

        Assert.Equal("text_not_utf8", problem!.Code);
    }

    [Fact]
    public void TryRead_AnyMutationOfAnExample_NeverThrows()
    {
        var text = Repository.Read("examples/refunds.yaml");
        const string inserts = "{}[]:,-#&*!|>'\"%@`?\t\n\0\uD800 ";
        var state = 12_345u;
        for (var round = 0; round < 3_000; round++)
        {
            state = (state * 1_664_525) + 1_013_904_223;
            var at = (int)(state % (uint)text.Length);
            var mutated = text[..at] + inserts[(int)((state >> 8) % inserts.Length)] + text[Math.Min(text.Length, at + (int)((state >> 16) % 9))..];

            var isRead = SpecText.TryRead(mutated, out _, out var problem);

            Assert.Equal(isRead, problem is null);
        }
    }
}

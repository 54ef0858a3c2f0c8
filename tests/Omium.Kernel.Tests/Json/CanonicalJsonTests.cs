using System.Buffers;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Omium.Kernel.Json;
using Xunit;

namespace Omium.Kernel.Tests.Json;

public sealed class CanonicalJsonTests
{
    /// <summary>RFC 8785, appendix B: IEEE 754 bits and what ECMAScript prints.</summary>
    [Theory]
    [InlineData(0x0000000000000000, "0")]
    [InlineData(0x8000000000000000, "0")]
    [InlineData(0x0000000000000001, "5e-324")]
    [InlineData(0x8000000000000001, "-5e-324")]
    [InlineData(0x7fefffffffffffff, "1.7976931348623157e+308")]
    [InlineData(0xffefffffffffffff, "-1.7976931348623157e+308")]
    [InlineData(0x4340000000000000, "9007199254740992")]
    [InlineData(0xc340000000000000, "-9007199254740992")]
    [InlineData(0x4430000000000000, "295147905179352830000")]
    [InlineData(0x44b52d02c7e14af5, "9.999999999999997e+22")]
    [InlineData(0x44b52d02c7e14af6, "1e+23")]
    [InlineData(0x44b52d02c7e14af7, "1.0000000000000001e+23")]
    [InlineData(0x444b1ae4d6e2ef4e, "999999999999999700000")]
    [InlineData(0x444b1ae4d6e2ef4f, "999999999999999900000")]
    [InlineData(0x444b1ae4d6e2ef50, "1e+21")]
    [InlineData(0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7")]
    [InlineData(0x3eb0c6f7a0b5ed8d, "0.000001")]
    [InlineData(0x41b3de4355555553, "333333333.3333332")]
    [InlineData(0x41b3de4355555554, "333333333.33333325")]
    [InlineData(0x41b3de4355555555, "333333333.3333333")]
    [InlineData(0x41b3de4355555556, "333333333.3333334")]
    [InlineData(0x41b3de4355555557, "333333333.33333343")]
    [InlineData(0xbecbf647612f3696, "-0.0000033333333333333333")]
    [InlineData(0x43143ff3c1cb0959, "1424953923781206.2")]
    public void Format_AppendixBNumbers_PrintsAsEcmaScript(ulong bits, string expected)
    {
        Span<byte> printed = stackalloc byte[40];
        var length = EcmaNumber.Format(BitConverter.UInt64BitsToDouble(bits), printed);
        Assert.Equal(expected, Encoding.ASCII.GetString(printed[..length]));
    }

    /// <summary>RFC 8785, 3.2.2 to 3.2.4: the complete example.</summary>
    [Fact]
    public void Canonicalize_RfcExample_GivesRfcBytes()
    {
        const string Source = """
            {
              "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
              "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
              "literals": [null, true, false]
            }
            """;
        const string Expected = """{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}""";
        Assert.Equal(Expected, Text(Accept(Source)));
    }

    /// <summary>RFC 8785, 3.2.3: sorting by UTF-16 code units puts the surrogate pair of an emoji before U+FB33.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Canonicalize_RfcSorting_OrdersByUtf16(bool escaped)
    {
        var source = escaped
            ? """{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}"""
            : "{\"\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\",\"1\":\"One\",\"\ud83d\ude00\":\"Emoji: Grinning Face\",\"\u0080\":\"Control\",\"\u00f6\":\"Latin Small Letter O With Diaeresis\"}";
        var order = Accept(source).EnumerateObject().Select(property => property.Value.GetString()!.Split(' ')[0]).ToArray();
        Assert.Equal(["Carriage", "One", "Control", "Latin", "Euro", "Emoji:", "Hebrew"], order);
    }

    [Theory]
    [InlineData("""{"a":1,"b":[true,null,"x"]}""", true)]
    [InlineData("""{"a":1, "b":2}""", false)]
    [InlineData("""{"b":1,"a":2}""", false)]
    [InlineData("""[1.0]""", false)]
    [InlineData("""[-0]""", false)]
    [InlineData("""[1.5,1e+21,0.000001,1e-7]""", true)]
    [InlineData("""["\/"]""", false)]
    [InlineData("""["\u000F"]""", false)]
    [InlineData("""["\u000f\n\"\\"]""", true)]
    [InlineData("""["\u0041"]""", false)]
    [InlineData(" 1", false)]
    [InlineData("{\"\ud83d\ude00\":1,\"\ufb33\":2}", true)]
    [InlineData("{\"\ufb33\":2,\"\ud83d\ude00\":1}", false)]
    public void Run_Text_KnowsWhetherItIsCanonical(string text, bool expected)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        Assert.Null(StrictScan.Run(utf8, JsonLimits.Default, out var isCanonical));
        Assert.Equal(expected, isCanonical);
        Assert.Equal(expected, CanonicalJson.Canonicalize(Accept(text)).AsSpan().SequenceEqual(utf8));
    }

    [Theory]
    [InlineData("", "json_syntax")]
    [InlineData("{", "json_syntax")]
    [InlineData("[1,]", "json_syntax")]
    [InlineData("{\"a\":1,}", "json_syntax")]
    [InlineData("/* no */ 1", "json_syntax")]
    [InlineData("01", "json_syntax")]
    [InlineData("NaN", "json_syntax")]
    [InlineData("1 2", "json_syntax")]
    [InlineData("\ufeff1", "json_syntax")]
    [InlineData("\"a\nb\"", "json_syntax")]
    [InlineData("""{"a":1,"a":2}""", "json_duplicate_name")]
    [InlineData("""{"b":1,"a":1,"b":2}""", "json_duplicate_name")]
    [InlineData("""{"a":1,"\u0061":2}""", "json_duplicate_name")]
    [InlineData("""[{"x":{"b":0,"a":{"q":1,"q":1}}}]""", "json_duplicate_name")]
    [InlineData("9007199254740992", "json_number_range")]
    [InlineData("-9007199254740992", "json_number_range")]
    [InlineData("1000000000000000000000000", "json_number_range")]
    [InlineData("9007199254740992.0", "json_number_range")]
    [InlineData("1e20", "json_number_range")]
    [InlineData("1e309", "json_number_range")]
    [InlineData("""["\ud800"]""", "json_invalid_text")]
    [InlineData("""["\ude00"]""", "json_invalid_text")]
    [InlineData("""["\ud83dx\ude00"]""", "json_invalid_text")]
    [InlineData("""["\ud83d\n"]""", "json_invalid_text")]
    [InlineData("""{"\ud83d":1}""", "json_invalid_text")]
    public void TryParse_WhatOmiumRefuses_SaysWhy(string text, string code)
    {
        Assert.False(CanonicalJson.TryParse(Encoding.UTF8.GetBytes(text), out _, out var problem));
        Assert.Equal(code, problem!.Code);
        Assert.InRange(problem.Offset, 0, Encoding.UTF8.GetByteCount(text));
    }

    [Fact]
    public void TryParse_InvalidUtf8_SaysWhere()
    {
        Assert.False(CanonicalJson.TryParse(new byte[] { (byte)'"', (byte)'a', 0xC3, (byte)'"' }, out _, out var problem));
        Assert.Equal(("json_invalid_text", 2L), (problem!.Code, problem.Offset));
    }

    [Theory]
    [InlineData("9007199254740991", "9007199254740991")]
    [InlineData("-9007199254740991", "-9007199254740991")]
    [InlineData("1e21", "1e+21")]
    [InlineData("1e-400", "0")]
    [InlineData("-0.0", "0")]
    [InlineData("100e-2", "1")]
    [InlineData("123456789012345", "123456789012345")]
    [InlineData("12345678901234567e-3", "12345678901234.566")]
    public void TryParse_Numbers_AreCanonical(string text, string expected) => Assert.Equal(expected, Text(Accept(text)));

    [Theory]
    [InlineData(128, true)]
    [InlineData(129, false)]
    [InlineData(1_000_000, false)]
    public void TryParse_Nesting_IsLimited(int depth, bool accepted)
    {
        var text = Encoding.ASCII.GetBytes(new string('[', depth) + new string(']', depth));
        Assert.Equal(accepted, CanonicalJson.TryParse(text, out _, out var problem));
        Assert.Equal(accepted ? null : "json_too_deep", problem?.Code);
    }

    [Fact]
    public void TryParse_TooLarge_IsRefusedBeforeReading()
    {
        Assert.False(CanonicalJson.TryParse(new byte[17], out _, out var problem, new JsonLimits { SizeMax = 16 }));
        Assert.Equal("json_too_large", problem!.Code);
    }

    [Fact]
    public void TryNormalize_SerializedElement_IsCanonical()
    {
        var element = JsonSerializer.SerializeToElement(new { b = 1.50m, a = "<é>" });
        Assert.True(CanonicalJson.TryNormalize(element, out var canonical, out _));
        Assert.Equal("""{"a":"<é>","b":1.5}""", canonical.GetRawText());
        Assert.False(CanonicalJson.TryNormalize(default, out _, out var problem));
        Assert.Equal("json_syntax", problem!.Code);
    }

    [Fact]
    public void Digest_EqualValues_AreEqualAndKnown()
    {
        var first = Accept("""{"a":1,"b":2}""");
        Assert.Equal("43258cff783fe7036d8a43033f830adfc60ec037382473548ac742b888292777", CanonicalJson.Digest(first));
        Assert.Equal(CanonicalJson.Digest(first), CanonicalJson.Digest(JsonElement.Parse("""{ "b": 2.0, "a": 1e0 }""")));
        Assert.Equal(CanonicalJson.Digest(first), CanonicalJson.Digest("""{"a":1,"b":2}"""u8));
        Assert.Equal(13, CanonicalJson.SizeOf(first));
    }

    [Fact]
    public void Write_Buffer_GetsTheCanonicalBytes()
    {
        var output = new ArrayBufferWriter<byte>();
        CanonicalJson.Write(JsonElement.Parse("""{ "b" : 1, "a" : [ ] }"""), output);
        Assert.Equal("""{"a":[],"b":1}""", Encoding.UTF8.GetString(output.WrittenSpan));
    }

    [Fact]
    public void Canonicalize_WideUnorderedObject_IsNotQuadratic()
    {
        var text = "{" + string.Join(",", Enumerable.Range(0, 200_000).Select(index => $"\"k{(index * 7919L) % 200_000}\":{index}")) + "}";
        var element = Accept(text);
        Assert.Equal(200_000, element.GetPropertyCount());
    }

    [Fact]
    public void TryParse_AnyDouble_RoundTripsAndIsStable() =>
        Prop.ForAll<double>(value =>
        {
            if (!double.IsFinite(value) || (Math.Abs(value) is > 9007199254740991 and < 1e21 && Math.Truncate(value) == value))
            {
                return true;
            }

            var element = Accept(JsonSerializer.Serialize(value));
            return element.GetDouble().Equals(value + 0.0) && StrictScan.Run(CanonicalJson.Canonicalize(element), JsonLimits.Default, out var stable) is null && stable;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void TryParse_AnyBytes_NeverThrows() =>
        Prop.ForAll<byte[]>(bytes => CanonicalJson.TryParse(bytes, out _, out var problem) == (problem is null)).QuickCheckThrowOnFailure();

    [Fact]
    public void TryParse_AnyNames_SortAsStringsDoByOrdinal() =>
        Prop.ForAll<string[]>(names =>
        {
            var valid = names.Where(name => name is not null && IsText(name)).Distinct(StringComparer.Ordinal).ToArray();
            var text = JsonSerializer.SerializeToUtf8Bytes(valid.ToDictionary(name => name, name => name.Length));
            Assert.True(CanonicalJson.TryParse(text, out var canonical, out _));
            return canonical.EnumerateObject().Select(property => property.Name).SequenceEqual(valid.Order(StringComparer.Ordinal));
        }).QuickCheckThrowOnFailure();

    private static bool IsText(string name) => name.EnumerateRunes().All(rune => rune != Rune.ReplacementChar);

    private static JsonElement Accept(string text)
    {
        Assert.True(CanonicalJson.TryParse(Encoding.UTF8.GetBytes(text), out var canonical, out var problem), problem?.Message);
        return canonical;
    }

    private static string Text(JsonElement value) => Encoding.UTF8.GetString(CanonicalJson.Canonicalize(value));
}

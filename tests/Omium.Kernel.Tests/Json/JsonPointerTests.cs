using System.Text.Json;
using Omium.Kernel.Json;
using Xunit;

namespace Omium.Kernel.Tests.Json;

public sealed class JsonPointerTests
{
    private static readonly JsonElement Example = JsonElement.Parse(
        """{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}""");

    /// <summary>RFC 6901, section 5.</summary>
    [Theory]
    [InlineData("/foo", """["bar","baz"]""")]
    [InlineData("/foo/0", "\"bar\"")]
    [InlineData("/", "0")]
    [InlineData("/a~1b", "1")]
    [InlineData("/c%d", "2")]
    [InlineData("/e^f", "3")]
    [InlineData("/g|h", "4")]
    [InlineData("/i\\j", "5")]
    [InlineData("/k\"l", "6")]
    [InlineData("/ ", "7")]
    [InlineData("/m~0n", "8")]
    public void TryResolve_RfcExamples_AreFound(string pointer, string expected)
    {
        Assert.True(JsonPointer.TryResolve(Example, pointer, out var value));
        Assert.Equal(expected, value.GetRawText());
    }

    [Theory]
    [InlineData("foo")]
    [InlineData("/foo/2")]
    [InlineData("/foo/00")]
    [InlineData("/foo/-")]
    [InlineData("/foo/99999999999")]
    [InlineData("/foo/0/x")]
    [InlineData("/m~2n")]
    [InlineData("/m~")]
    [InlineData("/\ud800")]
    public void TryResolve_NoSuchPlace_IsFalse(string pointer) => Assert.False(JsonPointer.TryResolve(Example, pointer, out _));

    [Theory]
    [InlineData("a/b~c")]
    [InlineData("~1")]
    [InlineData("")]
    public void Append_Name_IsFoundAgain(string name) => Assert.Equal(["x", name, "3"], JsonPointer.Split(JsonPointer.Append(JsonPointer.Append("/x", name), 3))!);
}

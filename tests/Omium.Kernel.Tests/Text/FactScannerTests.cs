using Omium.Kernel.Text;
using Xunit;

namespace Omium.Kernel.Tests.Text;

/// <summary>What counts as a number, an identifier or a name in a text, and when two ways of writing are the same.</summary>
public sealed class FactScannerTests
{
    [Theory]
    [InlineData("1250", "1,250.00")]
    [InlineData("1250", "1'250")]
    [InlineData("1250", "1\u202f250")]
    [InlineData("1250", "1_250")]
    [InlineData("1250", "1.250,00")]
    [InlineData("3.5", "3,5")]
    [InlineData("3.5", "03.500")]
    [InlineData("1000", "1e3")]
    [InlineData("5", "5kg")]
    [InlineData("0", "0.000")]
    [InlineData("-7.5", "-7.50")]
    [InlineData("123456789012345678901234567890", "123,456,789,012,345,678,901,234,567,890")]
    public void Number_WrittenInTwoWays_HasOneNormalForm(string one, string other)
    {
        Assert.True(NumberText.TryRead(one, out var first));
        Assert.True(NumberText.TryRead(other, out var second));
        Assert.Equal(first, second);
    }

    [Theory]
    [InlineData("1250", "125")]
    [InlineData("1250", "-1250")]
    [InlineData("1.250", "1250")]
    [InlineData("0.1", "0.01")]
    public void Number_OfAnotherValue_HasAnotherNormalForm(string one, string other)
    {
        Assert.True(NumberText.TryRead(one, out var first));
        Assert.True(NumberText.TryRead(other, out var second));
        Assert.NotEqual(first, second);
    }

    [Theory]
    [InlineData("12,34,5")]
    [InlineData("1.2.3")]
    [InlineData("A12")]
    [InlineData("12-3")]
    [InlineData("")]
    [InlineData("e3")]
    public void Number_ThatIsNone_IsNotRead(string text) => Assert.False(NumberText.TryRead(text, out _));

    [Theory]
    [InlineData("The loan was approved.", "")]
    [InlineData("The loan of Acme Group was approved at 4.5 %.", "Acme Group|4.5%")]
    [InlineData("Acme", "Acme")]
    [InlineData("Ada Lovelace", "Ada Lovelace")]
    [InlineData("Approved by ACME. Then I paid.", "ACME")]
    [InlineData("McKay signed; Nobody else did.", "McKay")]
    [InlineData("Invoice INV-2041 went to ada@x.org on 2026-11-21.", "INV-2041|ada@x.org|2026-11-21")]
    [InlineData("They call it “the blue one” here.", "“the blue one”")]
    [InlineData("a-5 and -5", "a-5|-5")]
    [InlineData("Jean's ship", "")]
    [InlineData("Jean-Luc's ship", "Jean-Luc's")]
    [InlineData("We met Jean-Luc's crew", "Jean-Luc's")]
    public void Facts_OfAText_AreItsNumbersIdentifiersAndNames(string text, string facts) =>
        Assert.Equal(facts, string.Join('|', FactScanner.Facts(text).Select(fact => fact.Written)));

    [Theory]
    [InlineData("e\u0301", "\u00e9")]
    [InlineData("A\u030a", "\u00c5")]
    [InlineData("\u1112\u1161\u11ab", "\ud55c")]
    [InlineData("plain", "plain")]
    public void Compose_LetterAndMark_AreOneCharacter(string apart, string together) => Assert.Equal(together, CanonicalComposition.Compose(apart));

    [Fact]
    public void Words_OfHostileText_EndWithoutAFailure()
    {
        foreach (var text in new[] { new string('"', 10_000), new string('1', 10_000), string.Concat(Enumerable.Repeat("A ", 5_000)), "\ud800\udc00 \ud800", "\0\u0001", "%%%%", "1e999999999999" })
        {
            _ = FactScanner.Facts(text);
        }
    }
}

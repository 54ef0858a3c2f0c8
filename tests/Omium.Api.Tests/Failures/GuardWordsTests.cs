using Omium.Api.Failures;

namespace Omium.Api.Tests.Failures;

public sealed class GuardWordsTests
{
    [Theory]
    [InlineData("output.apr >= 2.5 && output.apr <= 8.5", "apr must be between 2.5 and 8.5")]
    [InlineData("output.amount <= 100", "amount must be at most 100")]
    [InlineData("(output.a > 1) && (output.b != 'x')", "a must be greater than 1, and b must not be 'x'")]
    [InlineData("output.ok == true", "ok must be true")]
    [InlineData("size(output.items) > 0", "this must hold: size(output.items) > 0")]
    [InlineData("output.a > 1 || output.b > 1", "this must hold: output.a > 1 || output.b > 1")]
    public void Rule_OfACheck_SaysItInWords(string check, string words) => Assert.Equal(words, GuardWords.Rule(check));

    [Fact]
    public void Literals_OfACheck_AreWhatAPromptMustName() => Assert.Equal(["2.5", "8.5"], GuardWords.Literals("output.apr >= 2.5 && output.apr <= 8.5"));
}

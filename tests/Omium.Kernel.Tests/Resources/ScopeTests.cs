using Omium.Kernel.Resources;
using Xunit;

namespace Omium.Kernel.Tests.Resources;

/// <summary>Names of scopes: which two are one thing under two names or lie within each other, and which are not.</summary>
public sealed class ScopeTests
{
    private static readonly Dictionary<string, string> Aliases = new(StringComparer.Ordinal)
    {
        ["email:ada@x.org"] = "customer/42",
        ["crm:A-77"] = "customer/42",
        ["phone:+4915112345"] = "customer/43",
        ["sku:red-shirt"] = "stock/sku-1",
        ["ean:4006381333931"] = "stock/sku-1",
        ["cart:9"] = "order/2026/9",
        ["imo:9074729"] = "ship/vega",
    };

    /// <summary>Pairs that must conflict: the same scope, one above the other, or one of them by another name.</summary>
    public static TheoryData<string, string> Same => new()
    {
        { "customer/42", "customer/42" },
        { "customer/42", "customer/42/email" },
        { "customer/42/email", "customer/42" },
        { "customer/42", "customer/42/email/inbox" },
        { "customer/42/email", "customer/42/email/inbox" },
        { "customer/42/email", "customer/42/email" },
        { "email:ada@x.org", "customer/42" },
        { "customer/42", "email:ada@x.org" },
        { "email:ada@x.org", "email:ada@x.org" },
        { "email:ada@x.org", "crm:A-77" },
        { "crm:A-77", "customer/42/email" },
        { "email:ada@x.org/inbox", "customer/42/inbox" },
        { "email:ada@x.org/inbox", "customer/42" },
        { "email:ada@x.org/inbox", "crm:A-77" },
        { "email:ada@x.org/inbox", "crm:A-77/inbox" },
        { "email:ada@x.org", "crm:A-77/inbox/7" },
        { "sku:red-shirt", "ean:4006381333931" },
        { "sku:red-shirt", "stock/sku-1/berlin" },
        { "ean:4006381333931/berlin", "stock/sku-1/berlin" },
        { "cart:9", "order/2026/9" },
        { "cart:9/line/1", "order/2026/9/line/1" },
        { "cart:9/line", "order/2026/9/line/1" },
        { "order/2026", "cart:9" },
        { "order/2026", "order/2026/9/line/1" },
        { "ship/ve\u0301ga", "ship/v\u00e9ga" },
        { "customer/M\u00fcller", "customer/Mu\u0308ller/email" },
        { "stra\u00dfe/1", "stra\u00dfe/1/haus" },
        { "imo:9074729", "ship/vega" },
        { "customer/a:b", "customer/a:b/c" },
        { "order/\uac00", "order/\u1100\u1161" },
    };

    /// <summary>Pairs that must not conflict: siblings, other roots, names that only look alike.</summary>
    public static TheoryData<string, string> Apart => new()
    {
        { "customer/42", "customer/43" },
        { "customer/4", "customer/42" },
        { "customer/42", "customer/421" },
        { "customer/42", "customers/42" },
        { "customer/42/email", "customer/42/phone" },
        { "customer/42/email", "customer/42/emails" },
        { "customer/42/email/inbox", "customer/42/email/outbox" },
        { "customer/42", "Customer/42" },
        { "customer/42/Email", "customer/42/email" },
        { "email:ada@x.org", "phone:+4915112345" },
        { "email:ada@x.org", "customer/43" },
        { "email:ada@x.org/inbox", "customer/42/outbox" },
        { "email:ada@x.org/inbox", "crm:A-77/outbox" },
        { "phone:+4915112345", "customer/42/phone" },
        { "phone:+4915112345", "customer/42" },
        { "sku:red-shirt", "stock/sku-10" },
        { "sku:red-shirt/berlin", "ean:4006381333931/bonn" },
        { "stock/sku-1/berlin", "stock/sku-1/bonn" },
        { "cart:9", "order/2026/10" },
        { "cart:9", "order/2025/9" },
        { "cart:9/line/1", "order/2026/9/line/2" },
        { "order/2026/9", "order/2026/90" },
        { "order/2026/1", "cart:9/line/1" },
        { "ship/vega", "ship/v\u00e9ga" },
        { "customer/M\u00fcller", "customer/Muller" },
        { "stra\u00dfe/1", "strasse/1" },
        { "customer/a:b", "customer/a" },
        { "customer/42 a", "customer/42" },
        { "imo:9074729", "ship/vega-2" },
        { "customer/\uff14\uff12", "customer/42" },
    };

    [Theory]
    [MemberData(nameof(Same))]
    public void Conflict_SameThingOrWithin_True(string one, string other) => Assert.True(ScopeName.Conflict(Resolve(one), Resolve(other)));

    [Theory]
    [MemberData(nameof(Apart))]
    public void Conflict_DifferentThings_False(string one, string other) => Assert.False(ScopeName.Conflict(Resolve(one), Resolve(other)));

    [Fact]
    public void Table_HasAtLeast56Pairs_HalfOfEach()
    {
        Assert.True(Same.Count + Apart.Count >= 56);
        Assert.Equal(Same.Count, Apart.Count);
    }

    [Theory]
    [InlineData("customer")]
    [InlineData("")]
    [InlineData("/customer/42")]
    [InlineData("customer/42/")]
    [InlineData("customer//42")]
    [InlineData("customer/./42")]
    [InlineData("customer/../42")]
    [InlineData("customer/42#name")]
    [InlineData("customer/ 42")]
    [InlineData("customer/42\u0007")]
    [InlineData("customer/4\u200b2")]
    [InlineData("a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q")]
    public void Normalize_NoScope_SaysWhy(string text)
    {
        Assert.Null(ScopeName.Normalize(text, out var problem));
        Assert.NotEmpty(problem);
    }

    [Fact]
    public void Normalize_HalfASurrogatePair_SaysWhy() => Assert.Null(ScopeName.Normalize("customer/" + (char)0xD800, out _));

    [Theory]
    [InlineData("customer/42#name", "customer/42")]
    [InlineData("email:ada@x.org#name", "email:ada@x.org")]
    [InlineData("customer/42/address#Street_1", "customer/42")]
    public void StateKey_Sound_KnowsItsRoot(string text, string root) => Assert.Equal(root, StateKey.RootOf(StateKey.Normalize(text, out _)!));

    [Theory]
    [InlineData("customer/42")]
    [InlineData("customer/42#")]
    [InlineData("customer/42#1st")]
    [InlineData("customer/42#a b")]
    [InlineData("customer#name")]
    [InlineData("customer/42##name")]
    public void StateKey_NoKey_SaysWhy(string text)
    {
        Assert.Null(StateKey.Normalize(text, out var problem));
        Assert.NotEmpty(problem);
    }

    [Fact]
    public void Normalize_DrawnTexts_AgreesWithAnotherImplementation()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Omium.slnf")))
        {
            directory = directory.Parent;
        }

        var samples = File.ReadLines(Path.Combine(directory!.FullName, "tests", "golden", "unicode", "normal-form-c.txt")).Where(line => line[0] != '#').ToArray();
        Assert.True(samples.Length >= 300);
        foreach (var sample in samples)
        {
            var (text, normal) = (Text(sample.Split(';')[0]), Text(sample.Split(';')[1]));
            Assert.Equal($"a/-{normal}x", ScopeName.Normalize($"a/-{text}x", out _));
        }

        static string Text(string points) => string.Concat(points.Split(' ').Select(point => char.ConvertFromUtf32(Convert.ToInt32(point, 16))));
    }

    private static string Resolve(string text)
    {
        var scope = ScopeName.Normalize(text, out var problem);
        Assert.True(scope is not null, problem);
        return ScopeName.IsAlias(scope) ? ScopeName.Replace(scope, Aliases[ScopeName.AliasOf(scope)]) : scope;
    }
}

using Omium.Runtime.Ports;

namespace Omium.Conformance.Storage;

/// <summary>What every <see cref="IDocumentStore"/> must do.</summary>
public abstract class DocumentConformance(Func<StorageBackend> open) : StorageConformance(open)
{
    private static readonly DocumentKey Key = new("acme", "workflow", "onboarding");

    [Fact]
    public async Task PutAsync_WithoutExpectation_WritesAndChangesTheTag()
    {
        var first = await Documents.PutAsync(Key, [1], null);
        var second = await Documents.PutAsync(Key, [2], null);

        Assert.NotNull(first);
        Assert.NotNull(second);
        Assert.NotEqual(first, second);
        await AssertIs([2], second);
    }

    [Fact]
    public async Task PutAsync_OnlyIfNone_WritesOnce()
    {
        var first = await Documents.PutAsync(Key, [1], "");

        Assert.NotNull(first);
        Assert.Null(await Documents.PutAsync(Key, [2], ""));
        await AssertIs([1], first);
    }

    [Fact]
    public async Task PutAsync_WithTheCurrentTag_Writes()
    {
        var first = await Documents.PutAsync(Key, [1], null);
        var second = await Documents.PutAsync(Key, [2], first);

        Assert.NotNull(second);
        await AssertIs([2], second);
    }

    [Fact]
    public async Task PutAsync_WithAnOldTag_ChangesNothing()
    {
        var first = await Documents.PutAsync(Key, [1], null);
        var second = await Documents.PutAsync(Key, [2], null);

        Assert.Null(await Documents.PutAsync(Key, [3], first));
        await AssertIs([2], second);
    }

    [Fact]
    public async Task PutAsync_WithATagAndNoDocument_ChangesNothing()
    {
        Assert.Null(await Documents.PutAsync(Key, [1], "some-tag"));
        Assert.Null(await Documents.GetAsync(Key));
    }

    [Fact]
    public async Task PutAsync_ManyWithTheSameTag_ExactlyOneWins()
    {
        var tag = await Documents.PutAsync(Key, [0], null);

        var answers = await Task.WhenAll(Enumerable.Range(1, 20).Select(
            number => Task.Run(() => Documents.PutAsync(Key, [(byte)number], tag))));

        var winner = Assert.Single(answers, answer => answer is not null);
        await AssertIs([(byte)(Array.IndexOf(answers, winner) + 1)], winner);
    }

    [Fact]
    public async Task PutAsync_AfterADeletion_NeverReusesATag()
    {
        var first = await Documents.PutAsync(Key, [1], null);
        await Documents.DeleteAsync(Key, null);
        var second = await Documents.PutAsync(Key, [1], "");

        Assert.NotEqual(first, second);
        Assert.Null(await Documents.PutAsync(Key, [2], first));
    }

    [Fact]
    public async Task DeleteAsync_WithAndWithoutTag_HeedsIt()
    {
        Assert.False(await Documents.DeleteAsync(Key, null));
        var first = await Documents.PutAsync(Key, [1], null);
        var second = await Documents.PutAsync(Key, [2], null);

        Assert.False(await Documents.DeleteAsync(Key, first));
        Assert.False(await Documents.DeleteAsync(Key, ""));
        await AssertIs([2], second);
        Assert.True(await Documents.DeleteAsync(Key, second));
        Assert.Null(await Documents.GetAsync(Key));
        await Documents.PutAsync(Key, [3], null);
        Assert.True(await Documents.DeleteAsync(Key, null));
    }

    [Fact]
    public async Task GetAsync_OtherTenantKindOrId_IsNull()
    {
        await Documents.PutAsync(Key, [1], null);

        Assert.Null(await Documents.GetAsync(Key with { Tenant = "" }));
        Assert.Null(await Documents.GetAsync(Key with { Kind = "policy" }));
        Assert.Null(await Documents.GetAsync(Key with { Id = "Onboarding" }));
    }

    [Fact]
    public async Task PutAsync_InstallationAndEmptyContent_AreKept()
    {
        var key = new DocumentKey("", "setting", "theme");
        var tag = await Documents.PutAsync(key, [], null);

        var document = await Documents.GetAsync(key);
        Assert.Equal((key, tag), (document?.Key, document?.ETag));
        Assert.Equal([], document!.Content);
    }

    [Fact]
    public async Task ListAsync_Prefix_AnswersOnlyItsIdsInOrdinalOrder()
    {
        await PutAll("a.2", "a.1", "a", "a.10", "A.1", "b.1", "aa", "a%", "a_1", "a\u00e9");

        Assert.Equal(["a.1", "a.10", "a.2"], await List("a."));
        Assert.Equal(["A.1", "a", "a%", "a.1", "a.10", "a.2", "a_1", "aa", "a\u00e9", "b.1"], await List(""));
        Assert.Equal(["a%"], await List("a%"));
        Assert.Empty(await List("c"));
    }

    [Fact]
    public async Task ListAsync_AfterIdAndCountMax_PagesWithoutRepetition()
    {
        await PutAll("k.1", "k.2", "k.3", "k.4", "z");

        Assert.Equal(["k.1", "k.2"], await List("k.", null, 2));
        await PutAll("k.15", "k.25");
        Assert.Equal(["k.25", "k.3"], await List("k.", "k.2", 2));
        Assert.Equal(["k.4"], await List("k.", "k.3", 2));
        Assert.Empty(await List("k.", "k.4", 2));
        Assert.Equal(["k.1"], await List("k.", "a", 1));
        Assert.Empty(await List("k.", "y", 5));
        Assert.Empty(await List("k.", null, 0));
    }

    [Fact]
    public async Task ListAsync_OtherTenantAndKind_AreNotListed()
    {
        await Documents.PutAsync(new DocumentKey("acme", "workflow", "a"), [1], null);
        await Documents.PutAsync(new DocumentKey("acme", "policy", "b"), [1], null);
        await Documents.PutAsync(new DocumentKey("zeta", "workflow", "c"), [1], null);

        Assert.Equal(["a"], await List(""));
    }

    private async Task PutAll(params string[] ids)
    {
        foreach (var id in ids)
        {
            Assert.NotNull(await Documents.PutAsync(Key with { Id = id }, [1], null));
        }
    }

    private async Task<IEnumerable<string>> List(string prefix, string? afterId = null, int countMax = 100) =>
        (await Documents.ListAsync(Key.Tenant, Key.Kind, prefix, afterId, countMax)).Select(document => document.Key.Id);

    private async Task AssertIs(byte[] content, string? tag)
    {
        var document = await Documents.GetAsync(Key);
        Assert.Equal(content, document?.Content);
        Assert.Equal(tag, document?.ETag);
    }
}

using System.Text.Json;
using System.Text.Json.Serialization;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Executions;

/// <summary>
/// Which executions share a data key: document kind <c>fork</c> of the tenant, id <c>{root}.{fork}</c>, written before the fork's first record. An
/// erasure of any of them is one of all of them, so it is asked of each whether it may be.
/// </summary>
/// <remarks>
/// A fork that begins while its root is erased would run with a key that is gone. A fork is noted and then looks whether the family is closed; an erasure
/// closes it (kind <c>fork_gate</c>) and then looks who is noted: one of the two sees the other.
/// </remarks>
internal sealed class ForkFamily(IDocumentStore documents, Advancer advancer, TimeProvider time)
{
    private const string Kind = "fork", GateKind = "fork_gate";
    private const int PageSize = 200;

    /// <summary>How long a fork that was noted may take to begin; and how long a family stays closed when the process that closed it has died.</summary>
    private static readonly TimeSpan BeginsWithin = TimeSpan.FromMinutes(1);

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Notes that a fork may begin. False when the family is being erased: it may not.</summary>
    public async ValueTask<bool> TryNoteAsync(StreamId root, string fork, CancellationToken cancellation)
    {
        await documents.PutAsync(new DocumentKey(root.Tenant, Kind, $"{root.Id}.{fork}"), Write(new ForkMoment(NowMs)), null, cancellation);
        return await documents.GetAsync(GateKey(root), cancellation) is not { } gate || Read(gate).AtMs + (long)BeginsWithin.TotalMilliseconds <= NowMs;
    }

    /// <summary>From here on no fork of the root begins.</summary>
    public async ValueTask CloseAsync(StreamId root, CancellationToken cancellation) => await documents.PutAsync(GateKey(root), Write(new ForkMoment(NowMs)), null, cancellation);

    /// <summary>Forks may begin again, if there is anything left to fork.</summary>
    public async ValueTask OpenAsync(StreamId root, CancellationToken cancellation) => await documents.DeleteAsync(GateKey(root), null, cancellation);

    /// <summary>True while a fork was noted a moment ago and has not begun.</summary>
    public async ValueTask<bool> IsOneBeginningAsync(StreamId root, CancellationToken cancellation)
    {
        var since = NowMs - (long)BeginsWithin.TotalMilliseconds;
        await foreach (var (noted, fork) in NotedAsync(root, cancellation))
        {
            if (Read(noted).AtMs > since && await advancer.FindCurrentAsync(fork, cancellation) is null)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The root and its forks that can be read; a fork that was noted and never began is none.</summary>
    public async IAsyncEnumerable<ExecutionCell> MembersAsync(StreamId root, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        if (await advancer.FindCurrentAsync(root, cancellation) is { } first)
        {
            yield return first;
        }

        await foreach (var (_, fork) in NotedAsync(root, cancellation))
        {
            if (await advancer.FindCurrentAsync(fork, cancellation) is { } member)
            {
                yield return member;
            }
        }
    }

    private async IAsyncEnumerable<(StoredDocument Noted, StreamId Fork)> NotedAsync(StreamId root, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        string? after = null;
        IReadOnlyList<StoredDocument> page;
        do
        {
            page = await documents.ListAsync(root.Tenant, Kind, $"{root.Id}.", after, PageSize, cancellation);
            foreach (var noted in page)
            {
                after = noted.Key.Id;
                yield return (noted, new StreamId(root.Tenant, after[(root.Id.Length + 1)..]));
            }
        }
        while (page.Count == PageSize);
    }

    private static DocumentKey GateKey(StreamId root) => new(root.Tenant, GateKind, root.Id);

    private static byte[] Write(ForkMoment moment) => JsonSerializer.SerializeToUtf8Bytes(moment, ForkFamilyJson.Default.ForkMoment);

    private static ForkMoment Read(StoredDocument stored) => JsonSerializer.Deserialize(stored.Content, ForkFamilyJson.Default.ForkMoment)!;
}

/// <summary>When a fork was noted, or its family closed, Unix ms.</summary>
internal sealed record ForkMoment(long AtMs);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ForkMoment))]
internal sealed partial class ForkFamilyJson : JsonSerializerContext;

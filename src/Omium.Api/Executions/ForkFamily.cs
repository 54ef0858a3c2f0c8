using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Executions;

/// <summary>
/// Which executions share a data key: document kind <c>fork</c> of the tenant, id <c>{root}.{fork}</c>, written before the fork's first record. An
/// erasure of any of them is one of all of them, so it is asked of each whether it may be.
/// </summary>
internal sealed class ForkFamily(IDocumentStore documents, Advancer advancer)
{
    private const string Kind = "fork";
    private const int PageSize = 200;

    /// <summary>Notes that a fork may begin.</summary>
    public async ValueTask NoteAsync(StreamId root, string fork, CancellationToken cancellation) =>
        await documents.PutAsync(new DocumentKey(root.Tenant, Kind, $"{root.Id}.{fork}"), "{}"u8.ToArray(), null, cancellation);

    /// <summary>The root and its forks that can be read; a fork that was noted and never began is none.</summary>
    public async IAsyncEnumerable<ExecutionCell> MembersAsync(StreamId root, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        if (await advancer.FindCurrentAsync(root, cancellation) is { } first)
        {
            yield return first;
        }

        string? after = null;
        IReadOnlyList<StoredDocument> page;
        do
        {
            page = await documents.ListAsync(root.Tenant, Kind, $"{root.Id}.", after, PageSize, cancellation);
            foreach (var noted in page)
            {
                after = noted.Key.Id;
                if (await advancer.FindCurrentAsync(new StreamId(root.Tenant, after[(root.Id.Length + 1)..]), cancellation) is { } fork)
                {
                    yield return fork;
                }
            }
        }
        while (page.Count == PageSize);
    }
}

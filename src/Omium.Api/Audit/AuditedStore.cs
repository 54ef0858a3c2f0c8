using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;
using Omium.Runtime.Audit;
using Omium.Runtime.Ports;

namespace Omium.Api.Audit;

/// <summary>A document whose changes are accounted for: the rows that are not in the trail yet stand in the document itself.</summary>
internal abstract record AuditedDocument
{
    /// <summary>Rows that this document owes to the trail.</summary>
    public IReadOnlyList<AuditEntry>? Owed { get; init; }
}

/// <summary>A document as read, with the tag to change it against; both empty when there is none.</summary>
internal readonly record struct Audited<T>(T? Value, string ETag)
    where T : AuditedDocument;

/// <summary>
/// Changes documents so that no row of the audit trail is lost, whenever the process dies.
/// <code>
/// mark the document as owing -> write it with the change and the row in it, at once -> append the row -> take it out again -> unmark
/// </code>
/// Act and row are one write, so there is never the one without the other; appending a row twice records it once. What a dead process left owing is
/// settled by <see cref="SettleAllAsync"/>, which every process runs when it starts and from time to time.
/// </summary>
internal sealed partial class AuditedStore(IDocumentStore documents, AuditTrail trail, ILogger<AuditedStore> logger)
{
    private const string MarkKind = "audit_owed", OwedMember = "owed";
    private const int RacesMax = 100, PageSize = 500;

    /// <summary>The document.</summary>
    public async ValueTask<Audited<T>> ReadAsync<T>(DocumentKey key, JsonTypeInfo<T> type, CancellationToken cancellation)
        where T : AuditedDocument =>
        await documents.GetAsync(key, cancellation) is { } stored ? new(JsonSerializer.Deserialize(stored.Content, type)!, stored.ETag) : new(null, "");

    /// <summary>
    /// Changes a document and accounts for it in the trail of <paramref name="tenant"/>. <paramref name="change"/> is asked again when another writer
    /// came first; null = leave it as it is. Answers the document as written, or null when it was left. When it returns, act and row are durable.
    /// </summary>
    public async Task<T?> ChangeAsync<T>(
        string tenant, DocumentKey key, JsonTypeInfo<T> type, Func<T?, (T Next, AuditEntry Entry)?> change, CancellationToken cancellation)
        where T : AuditedDocument
    {
        for (var race = 0; race < RacesMax; race++)
        {
            var (known, tag) = await ReadAsync(key, type, cancellation);
            if (change(known) is not { } changed)
            {
                return null;
            }

            var next = changed.Next with { Owed = [.. known?.Owed ?? [], changed.Entry] };
            var mark = await MarkAsync(tenant, key, cancellation);
            if (await documents.PutAsync(key, JsonSerializer.SerializeToUtf8Bytes(next, type), tag, cancellation) is null)
            {
                continue;
            }

            await SettleAsync(tenant, key, mark, CancellationToken.None); // The act is done: whoever asked may go, the row is written.
            return next with { Owed = null };
        }

        throw new TimeoutException($"{key.Kind} {key.Id}: {RacesMax} writers came first, one after another");
    }

    /// <summary>Settles what dead processes left owing. Answers how many documents there were.</summary>
    public async Task<int> SettleAllAsync(CancellationToken cancellation)
    {
        var settled = 0;
        string? after = null;
        while (true)
        {
            var page = await documents.ListAsync("", MarkKind, "", after, PageSize, cancellation);
            foreach (var mark in page)
            {
                var owing = JsonSerializer.Deserialize(mark.Content, AuditMarkJson.Default.AuditMark)!;
                await SettleAsync(owing.Tenant, new DocumentKey(owing.DocumentTenant, owing.Kind, owing.Id), (mark.Key, mark.ETag), cancellation);
                settled++;
            }

            if (page.Count < PageSize)
            {
                return settled;
            }

            after = page[^1].Key.Id;
        }
    }

    private async Task<(DocumentKey Key, string ETag)> MarkAsync(string tenant, DocumentKey key, CancellationToken cancellation)
    {
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{tenant}\n{key.Tenant}\n{key.Kind}\n{key.Id}")));
        var mark = new DocumentKey("", MarkKind, name);
        var content = JsonSerializer.SerializeToUtf8Bytes(new AuditMark(tenant, key.Tenant, key.Kind, key.Id), AuditMarkJson.Default.AuditMark);
        return (mark, (await documents.PutAsync(mark, content, null, cancellation))!);
    }

    /// <summary>Appends what a document owes, takes it out of the document, and removes the mark where nobody has set it anew.</summary>
    private async Task SettleAsync(string tenant, DocumentKey key, (DocumentKey Key, string ETag) mark, CancellationToken cancellation)
    {
        try
        {
            while (await documents.GetAsync(key, cancellation) is { } stored && JsonNode.Parse(stored.Content) is JsonObject document
                && document[OwedMember] is JsonArray { Count: > 0 } owed)
            {
                foreach (var entry in owed.Deserialize(AuditJson.Default.ListAuditEntry)!)
                {
                    await trail.AppendAsync(tenant, entry, null, cancellation);
                }

                document.Remove(OwedMember);
                if (await documents.PutAsync(key, JsonSerializer.SerializeToUtf8Bytes(document), stored.ETag, cancellation) is not null)
                {
                    break;
                }
            }

            await documents.DeleteAsync(mark.Key, mark.ETag, cancellation);
        }
        catch (StorageException error)
        {
            LogOwing(logger, key.Kind, key.Id, error); // The document keeps what it owes; the next round settles it.
        }
    }

    [LoggerMessage(3101, LogLevel.Warning, "The audit row of {Kind} {Id} is still owed")]
    private static partial void LogOwing(ILogger logger, string kind, string id, Exception error);
}

/// <summary>Says that a document may owe rows to the trail of a tenant.</summary>
internal sealed record AuditMark(string Tenant, string DocumentTenant, string Kind, string Id);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(AuditMark))]
internal sealed partial class AuditMarkJson : JsonSerializerContext;

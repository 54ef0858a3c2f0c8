namespace Omium.Runtime.Ports;

/// <summary>Named documents (workflows, keys, policies, settings) with optimistic concurrency by ETag.</summary>
public interface IDocumentStore
{
    /// <summary>The document, or null.</summary>
    Task<StoredDocument?> GetAsync(DocumentKey key, CancellationToken cancellation = default);

    /// <summary>
    /// Writes a document. <paramref name="expectedETag"/>: null = whatever is there, "" = only if there is none, else only if it still has that tag.
    /// Answers the new tag, or null when the expectation did not hold. Durable when it returns.
    /// </summary>
    Task<string?> PutAsync(DocumentKey key, byte[] content, string? expectedETag, CancellationToken cancellation = default);

    /// <summary>Removes a document; false when there was none or its tag had changed.</summary>
    Task<bool> DeleteAsync(DocumentKey key, string? expectedETag, CancellationToken cancellation = default);

    /// <summary>Documents of one kind in ordinal order of their id, after <paramref name="afterId"/>, whose id starts with <paramref name="prefix"/>.</summary>
    Task<IReadOnlyList<StoredDocument>> ListAsync(
        string tenant, string kind, string prefix, string? afterId, int countMax, CancellationToken cancellation = default);
}

/// <summary>Names a document. <see cref="Tenant"/> is "" for what belongs to the installation as a whole.</summary>
public readonly record struct DocumentKey(string Tenant, string Kind, string Id);

/// <summary>A document as stored.</summary>
public sealed record StoredDocument(DocumentKey Key, byte[] Content, string ETag);

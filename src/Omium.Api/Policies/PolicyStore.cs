using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Omium.Api.Workflows;
using Omium.Kernel.Json;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Policies;

/// <summary>
/// The tenant's recovery policy. It serves workflows that name none of their own, and it is pinned when an execution starts: the spec that the
/// execution is pinned to is the saved one with the policy in it, stored by its digest like any other, so that a run, its verification and its forks
/// need nothing else. Guarantees: when a put returns, the version is durable; a start in this process sees it at once, in another within
/// <see cref="WorkflowStore.HeadsFor"/>.
/// </summary>
public sealed class PolicyStore(IDocumentStore documents, PlanCache plans, TimeProvider time)
{
    private const string HeadKind = PlanCache.PolicyKind, VersionKind = "policy_version", Head = PlanCache.PolicyHead;
    private const int RacesMax = 100, CachedMax = 10_000;
    private readonly ConcurrentDictionary<string, (StoredPolicy Policy, string ETag, DateTimeOffset Until)> _heads = new();

    /// <summary>The newest version, with the tag to put another one against.</summary>
    internal async ValueTask<(StoredPolicy Policy, string ETag)> HeadAsync(string tenant, CancellationToken cancellation)
    {
        var stored = await documents.GetAsync(new DocumentKey(tenant, HeadKind, Head), cancellation);
        return stored is null ? (StoredPolicy.None, "") : (Read(stored), stored.ETag);
    }

    /// <summary>One version; null when there is none.</summary>
    internal async ValueTask<StoredPolicy?> FindAsync(string tenant, int version, CancellationToken cancellation) =>
        await documents.GetAsync(VersionKey(tenant, version), cancellation) is { } stored ? Read(stored) : null;

    /// <summary>Versions, oldest first, after <paramref name="afterVersion"/>.</summary>
    internal async Task<IReadOnlyList<StoredPolicy>> VersionsAsync(string tenant, int afterVersion, int countMax, CancellationToken cancellation) =>
        [.. (await documents.ListAsync(tenant, VersionKind, "", VersionKey(tenant, afterVersion).Id, countMax, cancellation)).Select(Read)];

    /// <summary>
    /// Puts the next version; the newest one again is itself. Null when <paramref name="expectedETag"/> was given and another version has come since.
    /// </summary>
    internal async Task<(StoredPolicy Policy, string ETag)?> PutAsync(string tenant, StoredPolicy given, string? expectedETag, CancellationToken cancellation)
    {
        for (var race = 0; race < RacesMax; race++)
        {
            var (head, tag) = await HeadAsync(tenant, cancellation);
            if (expectedETag is not null && expectedETag != tag)
            {
                return null;
            }

            if (head.Version > 0 && head.Digest == given.Digest)
            {
                return (head, tag);
            }

            var next = given with { Version = head.Version + 1, AtMs = time.GetUtcNow().ToUnixTimeMilliseconds() };
            var key = VersionKey(tenant, next.Version);
            var isOurs = await documents.PutAsync(key, Write(next), "", cancellation) is not null;
            if (!isOurs)
            {
                next = Read((await documents.GetAsync(key, cancellation))!); // Made by somebody who may have died before it became the head: finish that, then look again.
            }

            var written = await documents.PutAsync(new DocumentKey(tenant, HeadKind, Head), Write(next), tag, cancellation);
            _heads.TryRemove(tenant, out _);
            if (isOurs)
            {
                return written is not null ? (next, written) : (next, (await HeadAsync(tenant, cancellation)).ETag);
            }
        }

        throw new TimeoutException($"the policy of {tenant}: {RacesMax} others put it first, one after another");
    }

    /// <summary>
    /// The digest of the spec that an execution of this workflow version is pinned to now: the saved spec's own when it names a policy or the tenant has
    /// none, else that of the spec with the tenant's policy in it.
    /// </summary>
    internal async ValueTask<string> PinAsync(string tenant, string specDigest, CancellationToken cancellation)
    {
        var policy = await NewestAsync(tenant, cancellation);
        return policy.Policy is not { } recovery ? specDigest : await plans.PinAsync(tenant, specDigest, recovery, policy.Digest, cancellation);
    }

    private async ValueTask<StoredPolicy> NewestAsync(string tenant, CancellationToken cancellation)
    {
        if (_heads.TryGetValue(tenant, out var known) && time.GetUtcNow() < known.Until)
        {
            return known.Policy;
        }

        if (_heads.Count >= CachedMax)
        {
            _heads.Clear();
        }

        var (policy, tag) = await HeadAsync(tenant, cancellation);
        return _heads.AddOrUpdate(
            tenant,
            _ => (policy, tag, time.GetUtcNow() + WorkflowStore.HeadsFor),
            (_, other) => other.Policy.Version > policy.Version ? other : (policy, tag, time.GetUtcNow() + WorkflowStore.HeadsFor)).Policy;
    }

    private static DocumentKey VersionKey(string tenant, int version) => new(tenant, VersionKind, version.ToString("D8", CultureInfo.InvariantCulture));

    private static StoredPolicy Read(StoredDocument stored) => JsonSerializer.Deserialize(stored.Content, PolicyJson.Default.StoredPolicy)!;

    private static byte[] Write(StoredPolicy policy) => JsonSerializer.SerializeToUtf8Bytes(policy, PolicyJson.Default.StoredPolicy);
}

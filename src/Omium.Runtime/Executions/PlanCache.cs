using System.Collections.Concurrent;
using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;
using Omium.Runtime.Ports;

namespace Omium.Runtime.Executions;

/// <summary>Compiled plans by the digest of their spec. A plan is a pure function of the spec's bytes, so it is never stale.</summary>
public sealed class PlanCache(IDocumentStore documents)
{
    /// <summary>Document kind of the newest version of each workflow, by name: at least <c>version</c> and <c>digest</c> (of the spec).</summary>
    public const string HeadKind = "workflow";

    /// <summary>Document kind of specs, by digest.</summary>
    public const string Kind = "spec";

    /// <summary>Document kind and id of the tenant's recovery policy: at least <c>policy</c> (absent = the built-in one) and <c>digest</c>.</summary>
    public const string PolicyKind = "policy", PolicyHead = "head";

    private const int EntriesMax = 512, PinnedMax = 10_000;
    private readonly ConcurrentDictionary<(string Tenant, string Spec, string Policy), string> _pinned = new();
    private readonly ConcurrentDictionary<(string Tenant, string Digest), WorkflowPlan> _plans = new();

    /// <summary>The plan of a stored spec. Throws <see cref="InvalidDataException"/> when a pinned spec is gone or no longer compiles: that is a corrupt store.</summary>
    public ValueTask<WorkflowPlan> GetAsync(string tenant, string digest, CancellationToken cancellation) =>
        _plans.TryGetValue((tenant, digest), out var plan) ? new(plan) : LoadAsync(tenant, digest, cancellation);

    /// <summary>
    /// The digest of the spec that an execution of a saved spec is pinned to under the tenant's policy: the saved spec's own when it names a policy,
    /// else that of the spec with the policy in it, stored by its digest like any other.
    /// </summary>
    public async ValueTask<string> PinAsync(string tenant, string specDigest, JsonElement recovery, string policyDigest, CancellationToken cancellation)
    {
        if (_pinned.TryGetValue((tenant, specDigest, policyDigest), out var known))
        {
            return known;
        }

        var stored = await documents.GetAsync(new DocumentKey(tenant, Kind, specDigest), cancellation)
            ?? throw new InvalidDataException($"the spec {specDigest} is not in the store");
        var spec = CanonicalJson.ParseTrusted(stored.Content);
        var digest = specDigest;
        if (!spec.TryGetProperty("recovery", out _))
        {
            var content = CanonicalJson.Canonicalize(JsonMake.Object([.. spec.EnumerateObject().Select(member => (member.Name, member.Value)), ("recovery", recovery)]));
            digest = CanonicalJson.Digest(content);
            await documents.PutAsync(new DocumentKey(tenant, Kind, digest), content, null, cancellation);
        }

        if (_pinned.Count >= PinnedMax)
        {
            _pinned.Clear();
        }

        return _pinned[(tenant, specDigest, policyDigest)] = digest;
    }

    /// <summary>The newest version of a saved workflow, pinned under the tenant's policy as it is now; null when there is none of that name.</summary>
    public async ValueTask<ChildVersion?> FindNewestAsync(string tenant, string name, CancellationToken cancellation)
    {
        if (await documents.GetAsync(new DocumentKey(tenant, HeadKind, name), cancellation) is not { } head)
        {
            return null;
        }

        var workflow = CanonicalJson.ParseTrusted(head.Content);
        var (version, digest) = (workflow.GetProperty("version").GetInt32(), workflow.GetProperty("digest").GetString()!);
        if (await documents.GetAsync(new DocumentKey(tenant, PolicyKind, PolicyHead), cancellation) is { } stored
            && CanonicalJson.ParseTrusted(stored.Content) is var policy && policy.TryGetProperty("policy", out var recovery) && recovery.ValueKind == JsonValueKind.Object)
        {
            digest = await PinAsync(tenant, digest, recovery, policy.GetProperty("digest").GetString()!, cancellation);
        }

        return new ChildVersion(version, digest);
    }

    /// <summary>The plan of a stored document: of a workflow, or of a traced execution.</summary>
    internal static WorkflowPlan? Compile(JsonElement source, out string? problem)
    {
        problem = null;
        if (WorkflowPlan.IsTracedDocument(source))
        {
            return WorkflowPlan.TryTraced(source, out _);
        }

        return SpecReader.Read(source).Spec is { } spec ? WorkflowPlan.TryCompile(spec, out problem) : null;
    }

    private async ValueTask<WorkflowPlan> LoadAsync(string tenant, string digest, CancellationToken cancellation)
    {
        var stored = await documents.GetAsync(new DocumentKey(tenant, Kind, digest), cancellation)
            ?? throw new InvalidDataException($"the spec {digest} that executions are pinned to is not in the store");
        var source = CanonicalJson.ParseTrusted(stored.Content);
        var plan = Compile(source, out var problem) ?? throw new InvalidDataException($"the spec {digest} does not compile any more: {problem}");

        if (_plans.Count >= EntriesMax)
        {
            _plans.Clear();
        }

        return _plans[(tenant, digest)] = plan;
    }
}

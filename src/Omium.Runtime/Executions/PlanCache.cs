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

    private const int EntriesMax = 512;
    private readonly ConcurrentDictionary<(string Tenant, string Digest), WorkflowPlan> _plans = new();

    /// <summary>The plan of a stored spec. Throws <see cref="InvalidDataException"/> when a pinned spec is gone or no longer compiles: that is a corrupt store.</summary>
    public ValueTask<WorkflowPlan> GetAsync(string tenant, string digest, CancellationToken cancellation) =>
        _plans.TryGetValue((tenant, digest), out var plan) ? new(plan) : LoadAsync(tenant, digest, cancellation);

    /// <summary>The newest version of a saved workflow; null when there is none of that name.</summary>
    public async ValueTask<ChildVersion?> FindNewestAsync(string tenant, string name, CancellationToken cancellation)
    {
        if (await documents.GetAsync(new DocumentKey(tenant, HeadKind, name), cancellation) is not { } head)
        {
            return null;
        }

        using var stored = JsonDocument.Parse(head.Content);
        return new ChildVersion(stored.RootElement.GetProperty("version").GetInt32(), stored.RootElement.GetProperty("digest").GetString()!);
    }

    private async ValueTask<WorkflowPlan> LoadAsync(string tenant, string digest, CancellationToken cancellation)
    {
        var stored = await documents.GetAsync(new DocumentKey(tenant, Kind, digest), cancellation)
            ?? throw new InvalidDataException($"the spec {digest} that executions are pinned to is not in the store");
        var source = CanonicalJson.ParseTrusted(stored.Content);
        var reading = SpecReader.Read(source);
        var plan = reading.Spec is { } spec ? WorkflowPlan.TryCompile(spec, out var problem) : null;
        if (plan is null)
        {
            throw new InvalidDataException($"the spec {digest} does not compile any more");
        }

        if (_plans.Count >= EntriesMax)
        {
            _plans.Clear();
        }

        return _plans[(tenant, digest)] = plan;
    }
}

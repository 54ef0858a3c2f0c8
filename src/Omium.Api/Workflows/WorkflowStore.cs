using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Omium.Contracts.Workflows;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Api.Workflows;

/// <summary>
/// Saved workflows. A version never changes once saved; saving the newest version's spec again gives that version. Guarantees: when a save
/// returns, the spec, its version and its place as the newest are durable; a start in this process sees it at once, in another within
/// <see cref="HeadsFor"/>.
/// </summary>
public sealed class WorkflowStore(IDocumentStore documents, TimeProvider time)
{
    /// <summary>How long a head that was read is believed without asking the store again.</summary>
    public static readonly TimeSpan HeadsFor = TimeSpan.FromSeconds(1);

    private const string HeadKind = PlanCache.HeadKind, VersionKind = "workflow_version";
    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");
    private const int HeadsMax = 10_000, RacesMax = 100;
    private readonly ConcurrentDictionary<(string Tenant, string Name), (StoredWorkflow Head, DateTimeOffset Until)> _heads = new();

    /// <summary>Reads and checks a spec; nothing is stored.</summary>
    public static SpecReading Check(JsonElement canonical)
    {
        var reading = SpecChecker.ReadAndCheck(canonical);
        if (reading.HasErrors || reading.Spec is not { } spec || WorkflowPlan.TryCompile(spec, out var problem) is not null)
        {
            return reading;
        }

        // The checks let something through that does not compile: still the author's to mend, and never to be started.
        var finding = new SpecFinding("does_not_compile", SpecSeverity.Error, "", problem ?? "The workflow does not compile.", "Mend the expression or schema that is named.");
        return new SpecReading(spec, [.. reading.Findings, finding]);
    }

    /// <summary>The same, and that every workflow it runs as a child is saved (or is itself).</summary>
    internal async Task<SpecReading> CheckAsync(string tenant, JsonElement canonical, CancellationToken cancellation)
    {
        var reading = Check(canonical);
        var missing = new List<SpecFinding>();
        for (var index = 0; index < (reading.Spec?.Steps.Count ?? 0); index++)
        {
            if (reading.Spec!.Steps[index] is { Type: StepType.Workflow, Target: { Length: > 0 } child } && child != reading.Spec.Name && await FindAsync(tenant, child, null, cancellation) is null)
            {
                missing.Add(new SpecFinding(
                    SpecCodes.UnknownReference, SpecSeverity.Error, string.Create(CultureInfo.InvariantCulture, $"/steps/{index}/workflow"), $"No workflow \"{child}\" is saved.",
                    "Save the child first, or correct its name."));
            }
        }

        return missing.Count == 0 ? reading : new SpecReading(reading.Spec, [.. reading.Findings, .. missing]);
    }

    /// <summary>
    /// Saves a spec that <see cref="Check"/> found no error in. Returns the version, and whether it is new; null when <paramref name="allows"/> (asked about the
    /// newest version, null when there is none) said no.
    /// </summary>
    internal async Task<(StoredWorkflow Saved, bool IsNew)?> SaveAsync(
        string tenant, JsonElement canonical, SpecReading reading, Func<StoredWorkflow?, bool>? allows, CancellationToken cancellation)
    {
        var spec = reading.Spec!;
        var source = WithVersion(canonical, null);
        var sourceDigest = CanonicalJson.Digest(source);
        var headKey = new DocumentKey(tenant, HeadKind, spec.Name);
        for (var race = 0; race < RacesMax; race++)
        {
            var stored = await documents.GetAsync(headKey, cancellation);
            var head = stored is null ? null : Read(stored);
            if (allows?.Invoke(head) == false)
            {
                return null;
            }

            if (head?.SourceDigest == sourceDigest)
            {
                return (head, false);
            }

            var version = (head?.Version ?? 0) + 1;
            var content = CanonicalJson.Canonicalize(WithVersion(source, version));
            var saved = new StoredWorkflow(
                spec.Name, version, CanonicalJson.Digest(content), sourceDigest, time.GetUtcNow().ToUnixTimeMilliseconds(), spec.Description, spec.Steps.Count, spec.Agents.Count,
                [.. reading.Findings.Select(WorkflowViews.Problem)]);
            await documents.PutAsync(new DocumentKey(tenant, PlanCache.Kind, saved.Digest), content, null, cancellation);
            var versionKey = VersionKey(tenant, spec.Name, version);
            var isOurs = await documents.PutAsync(versionKey, Write(saved), "", cancellation) is not null;
            if (!isOurs)
            {
                // Somebody else made this version, and may have died before it became the head: finish that for them, then look again.
                saved = Read((await documents.GetAsync(versionKey, cancellation))!);
            }

            // When this is refused, another has moved the head here or beyond: heads only go forward, one version at a time.
            await documents.PutAsync(headKey, Write(saved), stored?.ETag ?? "", cancellation);
            _heads.TryRemove((tenant, spec.Name), out _);
            if (isOurs)
            {
                return (saved, true);
            }
        }

        throw new TimeoutException($"workflow {spec.Name}: {RacesMax} others saved it first, one after another");
    }

    /// <summary>A version, or the newest; null when it is not saved.</summary>
    internal ValueTask<StoredWorkflow?> FindAsync(string tenant, string name, int? version, CancellationToken cancellation)
    {
        if (version is null && _heads.TryGetValue((tenant, name), out var known) && time.GetUtcNow() < known.Until)
        {
            return new(known.Head);
        }

        return LoadAsync(tenant, name, version, cancellation);
    }

    /// <summary>The canonical bytes of a saved spec.</summary>
    internal async Task<JsonElement> SpecAsync(string tenant, StoredWorkflow saved, CancellationToken cancellation)
    {
        var content = await documents.GetAsync(new DocumentKey(tenant, PlanCache.Kind, saved.Digest), cancellation)
            ?? throw new InvalidDataException($"the spec of {saved.Name} version {saved.Version} is not in the store");
        return CanonicalJson.ParseTrusted(content.Content);
    }

    /// <summary>Newest versions by name, after <paramref name="afterName"/>.</summary>
    internal async Task<IReadOnlyList<StoredWorkflow>> ListAsync(string tenant, string? afterName, int countMax, CancellationToken cancellation) =>
        [.. (await documents.ListAsync(tenant, HeadKind, "", afterName, countMax, cancellation)).Select(Read)];

    /// <summary>Versions of one workflow, oldest first, after <paramref name="afterVersion"/>.</summary>
    internal async Task<IReadOnlyList<StoredWorkflow>> VersionsAsync(string tenant, string name, int afterVersion, int countMax, CancellationToken cancellation) =>
        name.AsSpan().ContainsAnyExcept(NameCharacters) ? [] : [.. (await documents.ListAsync(tenant, VersionKind, name + "~", VersionKey(tenant, name, afterVersion).Id, countMax, cancellation)).Select(Read)];

    private async ValueTask<StoredWorkflow?> LoadAsync(string tenant, string name, int? version, CancellationToken cancellation)
    {
        if (name.Length is 0 or > SpecLimits.NameLengthMax || name.AsSpan().ContainsAnyExcept(NameCharacters) || version is <= 0)
        {
            return null;
        }

        if (version is { } number)
        {
            return await documents.GetAsync(VersionKey(tenant, name, number), cancellation) is { } stored ? Read(stored) : null;
        }

        if (await documents.GetAsync(new DocumentKey(tenant, HeadKind, name), cancellation) is not { } newest)
        {
            return null;
        }

        if (_heads.Count > HeadsMax)
        {
            _heads.Clear();
        }

        var head = Read(newest);
        _heads.AddOrUpdate(
            (tenant, name),
            _ => (head, time.GetUtcNow() + HeadsFor),
            (_, known) => known.Head.Version > head.Version ? known : (head, time.GetUtcNow() + HeadsFor));
        return head;
    }

    private static DocumentKey VersionKey(string tenant, string name, int version) =>
        new(tenant, VersionKind, string.Create(CultureInfo.InvariantCulture, $"{name}~{version:D8}"));

    /// <summary>The spec with its version set by the server, or without one.</summary>
    private static JsonElement WithVersion(JsonElement spec, int? version)
    {
        var members = spec.EnumerateObject().Where(member => member.Name != "version").Select(member => (member.Name, member.Value)).ToList();
        if (version is { } number)
        {
            members.Add(("version", JsonMake.Integer(number)));
        }

        return JsonMake.Object([.. members]);
    }

    private static StoredWorkflow Read(StoredDocument stored) => JsonSerializer.Deserialize(stored.Content, WorkflowJson.Default.StoredWorkflow)!;

    private static byte[] Write(StoredWorkflow workflow) => JsonSerializer.SerializeToUtf8Bytes(workflow, WorkflowJson.Default.StoredWorkflow);
}

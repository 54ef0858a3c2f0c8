using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Simulation.Laws;
using Omium.Simulation.Scheduling;
using Omium.Simulation.Workflows;

namespace Omium.Simulation.Running;

/// <summary>People who move runs to another version, and back: on what they saw a while ago, also where nothing may be moved.</summary>
internal sealed partial class Simulation
{
    private readonly Dictionary<(string Workflow, int Version), string> _versionDigests = [];
    private int _moves;

    /// <summary>The versions of a workflow, each saved; only the first where nobody moves anything.</summary>
    private IReadOnlyDictionary<int, DrawnWorkflow> VersionsOf(DrawnWorkflow workflow)
    {
        if (!_features.HasFlag(Features.Migrations) || NeedsNobody || workflow.IsTraced)
        {
            return new Dictionary<int, DrawnWorkflow> { [1] = workflow };
        }

        var versions = DrawnVersions.Of(_dice.Split(30), workflow);
        foreach (var (number, version) in versions)
        {
            var canonical = CanonicalJson.Canonicalize(JsonElement.Parse(version.Json));
            _versionDigests[(workflow.Name, number)] = CanonicalJson.Digest(canonical);
            _store.Put(new DocumentKey(Tenant, PlanCache.Kind, _versionDigests[(workflow.Name, number)]), canonical);
        }

        return versions;
    }

    /// <summary>Somebody looks at what a move would change, and a moment later moves the run.</summary>
    private void MoveSome()
    {
        if (!_features.HasFlag(Features.Migrations) || !_weather.Happens(_weather.PeopleOneIn))
        {
            return;
        }

        var movable = _chronicles.Values.Where(chronicle => chronicle.Versions.Count > 1 && (chronicle.Status is "paused" or "failed" || _dice.OneIn(6))).ToArray();
        var living = _hosts.Select(host => host.Process).OfType<SimulatedProcess>().Where(process => process.Alive).ToArray();
        if (movable.Length == 0 || living.Length == 0)
        {
            return;
        }

        var chronicle = _dice.Of(movable);
        var (process, version) = (_dice.Of(living), _dice.Between(1, chronicle.Versions.Count));
        process.Do(() => MoveAsync(process, chronicle, version));
    }

    private async Task MoveAsync(SimulatedProcess process, Chronicle chronicle, int version)
    {
        try
        {
            var digest = _versionDigests[(chronicle.Workflow.Name, version)];
            if (await process.Advancer.FindAsync(chronicle.Stream) is not { Plan: { } plan } cell || cell.State.SpecDigest == digest)
            {
                return;
            }

            var difference = MigrationDifference.Between(cell.State, plan, await _plans.GetAsync(Tenant, digest, CancellationToken.None), version, digest);
            string[] again = [.. difference.Affected.Where(_ => _dice.OneIn(3)).Select(key => key.Step).Distinct(StringComparer.Ordinal)];
            Tally.Met(difference.Obstacles.Count > 0 ? "person would move, and cannot" : "person moves", chronicle.Status);
            var command = new MigrateExecution(0, "ada", $"move_{++_moves}", version, digest, difference.Digest, again.Length == 0 ? null : again);
            _scheduler.Plan("move", _weather.NetworkDelayMs(5_000), () => Submit(chronicle.Stream, command));
        }
        catch (StorageUnavailableException)
        {
            // They are told that the store is not there.
        }
    }
}

using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Simulation.Workflows;

namespace Omium.Simulation.Laws;

/// <summary>
/// Laws of what is shared, as an execution's records tell of it: locks are held before anything begins under them, what was read was there, nothing
/// is sent on what has changed, and what is committed is prepared under every root.
/// </summary>
internal sealed partial class Chronicle
{
    /// <summary>The books of what executions share.</summary>
    public required RootBook Roots { get; init; }

    private string Owner(VisitFacts visit) => $"{Stream.Id}/{visit.Key}";

    /// <summary>The visit that shares: an item's is its step's.</summary>
    private VisitFacts Sharing(VisitFacts visit) => visit.Parent is { } parent ? Visit(parent.Step, parent.Visit) : visit;

    /// <summary>The calls of a visit and of its items.</summary>
    public IEnumerable<CallFacts> CallsWith(VisitFacts visit) => visit.Calls.Concat(ItemsOf(visit.Key).SelectMany(item => item.Calls));

    /// <summary>True when it was one of these events.</summary>
    private bool ReadShared(ExecutionEvent happened)
    {
        switch (happened)
        {
            case LocksRequested e:
                Law(Visit(e.Step, e.Visit).Standing == Standing.Open, $"{e.Step}~{e.Visit} asks for locks while it is {Visit(e.Step, e.Visit).Standing}");
                break;
            case LocksGranted e:
                LocksGranted(Visit(e.Step, e.Visit), e.Grants);
                break;
            case LocksYielded e:
                Law(!CallsWith(Visit(e.Step, e.Visit)).Any(call => call is { HasEffect: true, Unsettled: true }), $"{e.Step}~{e.Visit} gave its locks up while a call is not settled");
                GiveUp(Visit(e.Step, e.Visit));
                break;
            case LocksReleased e:
                Law(Ended || Visit(e.Step, e.Visit).Standing is not (Standing.Open or Standing.Failing) || !Visit(e.Step, e.Visit).Shared.Holds, $"{e.Step}~{e.Visit} gave its locks back while it is {Visit(e.Step, e.Visit).Standing}");
                GiveUp(Visit(e.Step, e.Visit));
                break;
            case StateRead e:
                SharedRead(Visit(e.Step, e.Visit), e.Values);
                break;
            case StepPrepared e:
                var prepared = Visit(e.Step, e.Visit);
                // An item stands in the locks of its list, which are asked for again where they were given up; what it calls is held to them.
                Law(prepared.Key.IsItem || prepared.Shared.Holds || Workflow.Step(e.Step)!.Sharing is not { Locks.Count: > 0 }, $"{prepared.Key} was prepared without its locks");
                foreach (var read in e.Reads ?? [])
                {
                    Law(Visit(read.Step, read.Visit).Standing == Standing.Committed, $"{prepared.Key} read {read}, which is not committed");
                }

                (prepared.Reads, prepared.BegunMs) = (e.Reads ?? [], record.AtMs);
                break;
            case WritesPrepared e:
                Written(Visit(e.Step, e.Visit), e);
                break;
            case WritesRestored e:
                var restored = Visit(e.Step, e.Visit);
                Law(restored.Standing == Standing.TakenBack && !restored.Shared.Restored, $"what {restored.Key} wrote was taken back while it is {restored.Standing}");
                restored.Shared.Restored = true;
                break;
            default:
                return happened is WritesRequested or WritesSettled;
        }

        return true;
    }

    private static void GiveUp(VisitFacts visit)
    {
        visit.Shared.GivenUpToken = visit.Shared.Grants.Select(grant => grant.Token).Append(visit.Shared.GivenUpToken).Max();
        visit.Shared.Holds = false;
    }

    /// <summary>An execution that had ended goes on: what its visits held may be given back at this moment, and they ask for it again.</summary>
    private void Reopen()
    {
        foreach (var visit in _visits.Values.Where(visit => Ended && visit.Shared.Holds && !CallsWith(visit).Any(call => call is { HasEffect: true, Unsettled: true, Next: not ("rerun" or "redo") })))
        {
            GiveUp(visit);
        }
    }

    private void LocksGranted(VisitFacts visit, IReadOnlyList<LockGrant> grants)
    {
        var wanted = Workflow.Step(visit.Step)!.Sharing!.Locks.Select(DrawnSharing.Resolved).Distinct().ToArray();
        Law(wanted.All(scope => grants.Any(grant => DrawnSharing.Covers(grant.Resolved, scope))), $"{visit.Key} was granted {string.Join(", ", grants.Select(grant => grant.Resolved))} of {string.Join(", ", wanted)}");
        foreach (var grant in grants)
        {
            Law(Roots.Of(RootBook.RootOf(grant.Resolved))?.HoldsWith(Owner(visit), grant.Token) == true, $"{visit.Key} says that it holds {grant.Resolved} with token {grant.Token}, and does not");
        }

        (visit.Shared.Holds, visit.Shared.Grants) = (true, grants);
    }

    /// <summary>What was read is a version that there was; under a lock of its own it is the newest.</summary>
    private void SharedRead(VisitFacts visit, IReadOnlyList<ReadValue> values)
    {
        foreach (var value in values)
        {
            var versions = Roots.Of(RootBook.RootOf(value.Key))?.VersionsOf(value.Key) ?? [];
            var version = versions.FirstOrDefault(made => made.Version == value.Version);
            Law(value.Version == 0 || version is not null, $"{visit.Key} read version {value.Version} of {value.Key}, which there is not");
            var same = (version?.Value is null && value.Value is null) || (version?.Value is { } held && value.Value is { } told && System.Text.Json.JsonElement.DeepEquals(held, resolve(told)));
            Law(same, $"{visit.Key} read {value.Value} as version {value.Version} of {value.Key}, which is {version?.Value}");
            var locked = visit.Shared.Holds && visit.Shared.Grants.Any(grant => DrawnSharing.Covers(grant.Resolved, DrawnSharing.ScopeOf(value.Key)));
            Law(!locked || value.Version == (versions.Count > 0 ? versions[^1].Version : 0), $"{visit.Key} holds the lock of {value.Key} and read version {value.Version} of {versions.Count}");
        }

        visit.Shared.Values = values;
    }

    private void Written(VisitFacts visit, WritesPrepared e)
    {
        var transaction = $"{Owner(visit)}~{e.Attempt}";
        foreach (var key in e.Keys)
        {
            Law(Roots.Of(RootBook.RootOf(key))?.IsPrepared(transaction, key) == true, $"{visit.Key} is committed and its write of {key} is not prepared");
        }

        Law(!Workflow.Step(visit.Step)!.Sharing!.Counts || visit.Shared.Values.Count > 0, $"{visit.Key} counts what it has not read");
        (visit.Shared.CommittedAttempt, visit.Shared.Written) = (e.Attempt, e.Keys);
    }

    /// <summary>A call with an effect begins: under its step's locks, on values that nobody else has changed since they were read.</summary>
    private void CheckSharing(VisitFacts visit, CallFacts call)
    {
        var sharing = Sharing(visit);
        foreach (var scope in Workflow.Step(visit.Step)!.Sharing?.Locks.Select(DrawnSharing.Resolved) ?? [])
        {
            Law(sharing.Shared.Holds && Roots.Of(RootBook.RootOf(scope))?.Holds(Owner(sharing), scope) == true, $"{call.Id} was begun and {sharing.Key} does not hold {scope}");
        }

        if (call.Runs > 0 || record is not BeginCall begin)
        {
            return;
        }

        foreach (var (reader, read) in Sources(visit).SelectMany(source => source.Shared.Values.Select(read => (source, read))))
        {
            var current = begin.Current?.FirstOrDefault(value => value.Key == read.Key);
            Law(current is not null, $"{call.Id} was begun and nobody has looked at {read.Key}, which {reader.Key} read");
            var foreign = current?.Changes?.LastOrDefault(change => change.Version > read.Version && change.RestoredFrom == 0 && !change.Writer.StartsWith(Stream.Id + "/", StringComparison.Ordinal));
            var putBack = current?.Changes is [.., { } last] && last.RestoredFrom != 0 && last.RestoredFrom == read.Version;
            // Its own write came right after what it had read: what others made of that later is no longer its business.
            var hadItsTurn = current?.Changes?.FirstOrDefault(change => change.Version > read.Version) is { } next && next.Version == read.Version + 1
                && next.Writer.StartsWith($"{Stream.Id}/{reader.Key}~", StringComparison.Ordinal);
            Law(foreign is null || putBack || hadItsTurn, $"{call.Id} was begun though {foreign?.Writer} has changed {read.Key} since {reader.Key} read it");
        }
    }

    /// <summary>A visit and every visit whose output went into its input.</summary>
    private List<VisitFacts> Sources(VisitFacts visit)
    {
        var seen = new List<VisitFacts> { visit };
        for (var index = 0; index < seen.Count; index++)
        {
            var before = seen[index].Parent is { } parent ? seen[index].Reads.Append(parent) : seen[index].Reads;
            seen.AddRange(before.Select(key => Visit(key.Step, key.Visit)).Except(seen));
        }

        return seen;
    }

    /// <summary>True when a visit read a shared value that one of these wrote.</summary>
    private bool ReadsWriteOf(VisitFacts visit, Func<VisitKey, bool> isWriter) =>
        visit.Shared.Values.Any(read => read.Writer is { } writer && writer.StartsWith(Stream.Id + "/", StringComparison.Ordinal) && Roots.VisitOf(writer).Visit is { } source && isWriter(source.Key));

    private bool OwesRestore => _plan is not null && _plan.Affected.Any(key => Visit(key.Step, key.Visit).Shared is { CommittedAttempt: > 0, Restored: false });
}

using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Simulation.Outside;
using Omium.Simulation.Workflows;

namespace Omium.Simulation.Laws;

/// <summary>What the records say held against what truly happened outside.</summary>
internal static class WorldLaws
{
    /// <summary>As a request is sent: nobody calls out without an intent on record. A text says what is wrong.</summary>
    public static string? Sending(World world, string effect, Chronicle? chronicle)
    {
        var call = chronicle?.Calls.GetValueOrDefault(effect[(effect.IndexOf('/', StringComparison.Ordinal) + 1)..]);
        return call is { HasEffect: true } && world.Sent[effect] > call.Runs
            ? $"{effect} was sent {world.Sent[effect]} times with {call.Runs} intents on record"
            : null;
    }

    /// <summary>At the end: nothing happened twice, nothing that is on record is missing, nothing outlived its rollback.</summary>
    public static IEnumerable<string> AtTheEnd(World world, Chronicle chronicle)
    {
        var prefix = chronicle.Stream.Id + "/";
        foreach (var call in chronicle.Calls.Values.Where(call => call is { HasEffect: true, IsChild: false }))
        {
            var effect = prefix + call.Id;
            var stands = world.Deeds.Any(deed => deed.Key == call.Requested.Key && deed.Tool == call.Requested.Tool && deed.Stands);
            if (call is { Happened: Happened.Yes, Undone: false, Residue: false } && !stands)
            {
                yield return $"{effect} is on record as done and does not stand outside";
            }

            if (call.Undone && world.Deeds.Any(deed => deed.Stands && deed.AskedBy.Contains(effect)))
            {
                yield return $"{effect} is on record as undone and stands outside";
            }

            if (call.Happened is Happened.No or Happened.NotAsked && world.Deeds.Any(deed => deed.Stands && deed.AskedBy.All(asked => asked == effect)))
            {
                yield return $"{effect} is on record as not done and stands outside";
            }

            // What is known to be repeatable, or is looked up by a program when it is started again, waits with its open step in a run that ended badly: a person may retry it, or roll it back.
            var waits = chronicle.Status != "succeeded" && call is { Happened: Happened.InDoubt } && (call.Next is "redo" or "rerun" || (call.Next == "verify" && chronicle.Workflow.IsTraced && chronicle.Status == "failed")) && chronicle.Visits[call.Id.Key].Standing is Standing.Open or Standing.Failing;
            if (call.Unsettled && !waits)
            {
                yield return $"{effect} is left {call.Happened}";
            }

            if (call.MayStand && chronicle.Visits[call.Id.Key].Standing == Standing.TakenBack)
            {
                yield return $"{effect} was taken back and may stand still";
            }
        }

        foreach (var broken in Once(world, chronicle, prefix).Concat(Undone(world, chronicle, prefix)))
        {
            yield return broken;
        }
    }

    /// <summary>One deed for one intention: the same call of the same visit stands once, whatever the number of attempts.</summary>
    private static IEnumerable<string> Once(World world, Chronicle chronicle, string prefix)
    {
        var slots = new Dictionary<(VisitKey, string, string, int), HashSet<int>>();
        foreach (var deed in world.Deeds.Where(deed => deed is { Stands: true, GivenUp: false }))
        {
            foreach (var asked in deed.AskedBy.Where(asked => asked.StartsWith(prefix, StringComparison.Ordinal)))
            {
                if (!chronicle.Calls.TryGetValue(asked[prefix.Length..], out var call))
                {
                    yield return $"{asked} happened outside and was never requested";
                    continue;
                }

                if (call.Requested.Kind != EffectKind.Irreversible && !call.Residue)
                {
                    var slot = (call.Id.Key, call.Requested.Tool, call.Requested.ArgumentsDigest, call.Occurrence);
                    (slots.TryGetValue(slot, out var deeds) ? deeds : slots[slot] = []).Add(deed.Number);
                }
            }
        }

        foreach (var (slot, deeds) in slots.Where(slot => slot.Value.Count > 1))
        {
            yield return $"{prefix}{slot.Item1}: {slot.Item2} stands {deeds.Count} times";
        }

        foreach (var twice in world.Deeds.Where(deed => DrawnTools.KindOf(deed.Tool) == "irreversible").GroupBy(deed => deed.AskedBy[0]).Where(group => group.Key.StartsWith(prefix, StringComparison.Ordinal) && group.Count() > 1))
        {
            yield return $"{twice.Key} cannot be taken back and happened {twice.Count()} times";
        }
    }

    private static IEnumerable<string> Undone(World world, Chronicle chronicle, string prefix)
    {
        foreach (var (execution, effect, _) in world.Undoings.Where(undoing => prefix == undoing.Execution + "/").Distinct())
        {
            var call = effect[prefix.Length..].Replace("~u", "", StringComparison.Ordinal);
            if (!chronicle.EverListed.Contains(call))
            {
                yield return $"{effect} of {execution} was undone outside and no rollback lists it";
            }
        }
    }
}

using Omium.Kernel.Executions;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;
using Omium.Simulation.Outside;
using Omium.Simulation.Running;
using Omium.Simulation.Storage;

namespace Omium.Simulation.Laws;

/// <summary>What must be true when everything has ended: of the world, of the index, of the chain, of what was acknowledged.</summary>
internal static class EndLaws
{
    public static IEnumerable<string> Check(Running.Simulation simulation, SimulatedStore store, World world, IKeyWrap keys)
    {
        var reader = new SpecDocuments(store);
        foreach (var chronicle in simulation.Chronicles.Values)
        {
            foreach (var broken in WorldLaws.AtTheEnd(world, chronicle).Concat(Index(store, chronicle)))
            {
                yield return broken;
            }

            foreach (var notification in chronicle.OwedNotifications)
            {
                yield return $"{chronicle.Stream.Id}: notification {notification} was never sent";
            }

            var verified = new Verifier(reader, reader, reader, keys).VerifyAsync(chronicle.Stream).GetAwaiter().GetResult();
            if (verified is not { Verdict: VerifyVerdict.Identical })
            {
                yield return $"{chronicle.Stream.Id}: verify says {verified?.Verdict}: {verified?.Detail}";
            }
        }

        foreach (var (stream, seq, appendId) in store.Acknowledged)
        {
            if (store.Records(stream).ElementAtOrDefault((int)seq - 1)?.AppendId != appendId)
            {
                yield return $"{stream}: record {seq} was acknowledged and is gone";
            }
        }
    }

    private static IEnumerable<string> Index(SimulatedStore store, Chronicle chronicle)
    {
        var row = store.Row(IndexKinds.Execution, chronicle.Stream.Id);
        if (row is null || row.Status != chronicle.Status || row.Active)
        {
            yield return $"{chronicle.Stream.Id}: the index says {row?.Status}, active {row?.Active}; the records say {chronicle.Status}";
        }

        foreach (var review in chronicle.Reviews.Values)
        {
            var listed = store.Row(IndexKinds.Review, review.Requested.Review)?.Status;
            var told = review.Decided switch { null => "open", { Decision: "expired" } => "expired", _ => "decided" };
            if (listed != told)
            {
                yield return $"{review.Requested.Review}: the index says {listed}; the records say {told}";
            }
        }
    }
}

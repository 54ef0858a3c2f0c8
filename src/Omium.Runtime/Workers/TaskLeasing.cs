using Omium.Kernel.Executions;
using Omium.Runtime.Executions;

namespace Omium.Runtime.Workers;

/// <summary>Leases the task of a step: its intent is durable before the worker knows of it, and the worker knows of it in time or never.</summary>
public static class TaskLeasing
{
    /// <summary>Added to the time a task may take before its intent is in doubt, ms.</summary>
    private const long MarginMs = 5_000;

    /// <summary>
    /// The task, leased to <paramref name="worker"/>; the offer is put back. Null: somebody else has it, or it must not begin now. Null, too, when the
    /// record took longer than the lease lasts (a store that stood still): the task has gone to another meanwhile or is being looked up, and a worker
    /// that began only now would do it a second time.
    /// </summary>
    /// <exception cref="Ports.StorageUnavailableException">The store could not take the record.</exception>
    public static async ValueTask<TaskLease?> LeaseAsync(IExecutionEngine engine, Advancer advancer, TaskBoard board, TaskOffer offer, string worker)
    {
        try
        {
            var current = board.Current is { } currentOf && await advancer.FindAsync(offer.Stream) is { Plan: not null } cell ? await currentOf(cell, offer.Effect) : null;
            var begunMs = advancer.NowMs;
            var begun = await engine.SubmitAsync(offer.Stream, new BeginCall(begunMs, offer.Effect, worker, MarginMs, current));
            if (begun is not { Changed: true, Rejection: null } || !EffectId.TryParse(offer.Effect, out var id))
            {
                return null;
            }

            var call = begun.Cell.State.Visits[id.Key].Calls.Find(known => known.Id == id)!;
            var nowMs = advancer.NowMs;
            return nowMs - begunMs < (long)board.Lease.TotalMilliseconds && nowMs < call.InDoubtAtMs ? new TaskLease(begun.Cell, id, call) : null;
        }
        finally
        {
            board.PutBack(offer);
        }
    }
}

/// <summary>A task that was leased.</summary>
/// <param name="Cell">Its execution, as of the lease.</param>
/// <param name="Effect">Its effect.</param>
/// <param name="Call">Its call, as of the lease.</param>
public sealed record TaskLease(ExecutionCell Cell, EffectId Effect, CallState Call);

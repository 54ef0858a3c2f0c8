using Microsoft.Extensions.Logging.Abstractions;
using Omium.Kernel.Executions;
using Omium.Kernel.Ledger;
using Omium.Runtime.Billing;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;
using Omium.Simulation.Laws;
using Omium.Simulation.Scheduling;
using Omium.Simulation.Storage;
using Omium.Simulation.Workflows;

namespace Omium.Simulation.Running;

/// <summary>With billing: executions begin with a lease or wait to be paid for, somebody tops up (and is delivered twice), hosts sweep.</summary>
internal sealed partial class Simulation
{
    private const int SweepEveryMs = 20_000, TopUpEveryMs = 30_000;
    private readonly LedgerBook _book = new();
    private int _payments;

    /// <summary>What the ledger's accounts hold, in micro-credits, by its records.</summary>
    public IReadOnlyDictionary<Account, long> Accounts => _book.Accounts;

    private bool Bills => _features.HasFlag(Features.Billing);

    /// <summary>What a process reserves and is charged with; null where nothing is metered.</summary>
    private ExecutionCredits? CreditsOf(SimulatedProcess process, Advancer advancer, ProcessStore store)
    {
        if (!Bills)
        {
            return null;
        }

        var ledger = new LedgerAdvancer(store, _keys, process.Time);
        var queue = new LedgerQueue(ledger) { Opening = _ => new OpenLedger(Plans.PayAsYouGo, _dice.Split(31).Below(12) * Credits.CheckpointMicro) };
        var credits = new ExecutionCredits(advancer, ledger, queue, NullLogger<ExecutionCredits>.Instance) { UnknownReleasedAfter = LedgerBook.GivenUpAfter };
        credits.Attach();
        process.Credits = credits;
        process.Billing = queue;
        _scheduler.Plan("sweep", SweepEveryMs, () => Sweep(process));
        return credits;
    }

    private void Sweep(SimulatedProcess process)
    {
        if (!process.Alive)
        {
            return;
        }

        process.Do(() => process.Credits!.SweepAsync(Tenant, CancellationToken.None).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default));
        _scheduler.Plan("sweep", SweepEveryMs, () => Sweep(process));
    }

    /// <summary>A client's start, paid for.</summary>
    private async Task StartPaidAsync(SimulatedProcess process, Start start)
    {
        var plan = await _plans.GetAsync(Tenant, start.Command.SpecDigest, CancellationToken.None);
        var (lease, refused) = await process.Credits!.LeaseAsync(start.Stream, start.Command.StartedBy, null, plan);
        Tally.Count("starts", refused?.Code ?? "paid");
        if (refused is null)
        {
            var started = await process.Engine.SubmitAsync(start.Stream, start.Command with { AtMs = process.Advancer.NowMs, Lease = lease });
            if (!started.Changed && lease is not null)
            {
                await process.Credits.AbandonAsync(start.Stream, lease, started.Cell.State);
            }
        }
    }

    /// <summary>Somebody pays; the payment is delivered to any host, now and then again.</summary>
    private void TopUp()
    {
        var payment = $"cs_{(_dice.OneIn(3) && _payments > 0 ? _payments : ++_payments)}";
        foreach (var process in _hosts.Select(host => host.Process).OfType<SimulatedProcess>().Where(process => process is { Alive: true, Billing: not null }).Take(_dice.OneIn(2) ? 2 : 1))
        {
            process.Do(async () =>
            {
                try
                {
                    await process.Billing!.PostAsync(Tenant, new TopUpCredits(payment, 5));
                }
                catch (StorageUnavailableException)
                {
                    // It is delivered again.
                }
            });
        }

        _scheduler.Plan("top up", TopUpEveryMs, TopUp);
    }

    /// <summary>An execution's record, as one who counts what is used reads it. A fork is of its source's workflow.</summary>
    private void Meter(StreamId stream, RecordBody body, Chronicle told)
    {
        if (Bills)
        {
            _book.Read(stream.Id, body, told.Workflow);
        }
    }

    private IEnumerable<string> LedgerAtTheEnd()
    {
        if (!Bills)
        {
            return [];
        }

        var verified = new LedgerVerifier(new SpecDocuments(_store), _keys).VerifyAsync(Tenant).GetAwaiter().GetResult();
        return _book.AtTheEnd().Concat(verified is null or { Verdict: VerifyVerdict.Identical } ? [] : [$"the ledger verifies as {verified.Verdict}: {verified.Detail}"]);
    }
}

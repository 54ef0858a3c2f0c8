using Omium.Kernel.Executions;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Tests.Executions.Properties;

/// <summary>Verifiers and measuring tools of a drawn run.</summary>
internal sealed partial class RandomDriver
{
    /// <summary>A worker leases a task, does it, and answers at once, late, or never; sometimes its host counts it as lost.</summary>
    private void CarryOutTask(PendingEffect effect)
    {
        var begun = Send(new BeginCall(_harness.NowMs, effect.Id, $"worker-{_random.Next(3)}", 5_000));
        if (!begun.Accepted || begun.Events.Count == 0)
        {
            return;
        }

        _ = EffectId.TryParse(effect.Id, out var id);
        var call = _harness.State.Visits[id.Key].Calls.Find(candidate => candidate.Id == id)!;
        var settle = new SettleTask(_harness.NowMs, effect.Id, call.Runs, Outcome(effect with { Kind = call.Kind == EffectKind.None ? PendingKind.Run : PendingKind.Call }, call));
        switch (_faults ? _random.Next(6) : 5)
        {
            case 0:
                Send(new LoseTask(_harness.NowMs, effect.Id, call.Runs));
                Send(settle); // Late: fenced, or the only witness.
                break;
            case 1:
                break; // Never: the time it may take is over some day.
            default:
                Send(settle);
                break;
        }
    }

    private EffectOutcome Verdict() => (_faults ? _random.Next(8) : 0) switch
    {
        0 or 1 or 2 or 3 => KernelHarness.Says("""{"verdict": "approve", "reason": "a"}"""),
        4 or 5 => KernelHarness.Says("""{"verdict": "reject", "reason": "b"}"""),
        6 => KernelHarness.Says(_random.Next(2) == 0 ? """{"verdict": "abstain", "reason": "c"}""" : "no verdict at all"),
        _ => ModelFailure(),
    };

    /// <summary>What a tool sees of a claim: with faults sometimes something else than was said, or nothing; healed the truth.</summary>
    private EffectOutcome Seen(PendingEffect effect)
    {
        _ = EffectId.TryParse(effect.Id, out var id);
        var said = _harness.State.Handoffs[new HandoffKey(id.Number - 1, id.Key)].Claims[id.SubNumber - 1].Claim.Said.GetRawText();
        return (_faults ? _random.Next(5) : 0) switch
        {
            1 => KernelHarness.Fails("tool_error", "http_503", permanent: _random.Next(3) == 0),
            2 => KernelHarness.Ok("""{"n": -3}"""),
            3 => KernelHarness.Ok("""{"m": 1}"""),
            _ => KernelHarness.Ok($$"""{"n": {{said}}}"""),
        };
    }
}

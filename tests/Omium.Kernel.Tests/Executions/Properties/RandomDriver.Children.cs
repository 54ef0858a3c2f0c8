using Omium.Kernel.Executions;

namespace Omium.Kernel.Tests.Executions.Properties;

/// <summary>
/// Child workflows of a drawn run, as their parent's runner meets them: begun once, under way for as long as they like, told about late, twice or
/// only when asked, rolled back by themselves.
/// </summary>
internal sealed partial class RandomDriver
{
    private readonly Dictionary<string, DrawnChild> _children = new(StringComparer.Ordinal);

    /// <summary>What became of a child, whether or not its parent knows.</summary>
    private sealed class DrawnChild
    {
        public EffectOutcome? News { get; set; }

        public bool IsTakenBack { get; set; }
    }

    private void StartChild(PendingEffect effect)
    {
        if (_children.TryGetValue(effect.Id, out var known) && known.IsTakenBack)
        {
            _world.Violations.Add($"{effect.Id}: a child is begun that was taken back");
        }

        _children.TryAdd(effect.Id, new DrawnChild());
        if (!_faults || _random.Next(4) > 0)
        {
            Send(new RecordChildStarted(_harness.NowMs, effect.Id, 2, "spec"));
        }
    }

    private void CancelChild(PendingEffect effect)
    {
        var child = _children.TryGetValue(effect.Id, out var known) ? known : _children[effect.Id] = new DrawnChild();
        child.News ??= KernelHarness.Fails("rejected", "child_cancelled", permanent: true);
        if (!_faults || _random.Next(4) > 0)
        {
            Send(new RecordChildCancel(_harness.NowMs, effect.Id));
        }
    }

    /// <summary>A child that never began is taken back at once; another one tells when it is done, or what it could not undo.</summary>
    private void TakeChildBack(PendingEffect effect, EffectId id)
    {
        var child = id.WithoutSub.ToString();
        var isBegun = _children.TryGetValue(child, out var known);
        (known ??= _children[child] = new DrawnChild()).IsTakenBack = true;
        known.News ??= KernelHarness.Fails("rejected", "child_cancelled", permanent: true);
        var outcome = isBegun && _faults && _random.Next(5) == 0 ? KernelHarness.Fails("tool_error", "child_residue", permanent: true) : KernelHarness.Ok("{}");
        var settle = new SettleEffect(_harness.NowMs, effect.Id, outcome);
        if (_faults && _random.Next(4) == 0)
        {
            _late.Add(settle);
            return;
        }

        Send(settle);
    }

    /// <summary>News of some child that has ended, for the first time or once more. False when there is none to tell.</summary>
    private bool TellOfChild()
    {
        var running = _harness.State.Visits.Values.OrderBy(visit => visit.Ordinal).SelectMany(visit => visit.Calls)
            .Where(call => call is { Child: not null, Status: CallStatus.Running } && _children.ContainsKey(call.Id.ToString())).ToArray();
        if (running.Length == 0)
        {
            return false;
        }

        var told = running[_random.Next(running.Length)].Id.ToString();
        var child = _children[told];
        child.News ??= _faults && _random.Next(3) == 0 ? KernelHarness.Fails("tool_error", "http_503") : KernelHarness.Ok($$"""{"n": {{Number()}}}""");
        var settle = new SettleEffect(_harness.NowMs, told, child.News);
        Send(settle);
        if (_faults && _random.Next(3) == 0)
        {
            _late.Add(settle);
        }

        return true;
    }

    /// <summary>Of what was taken back no child is left, and of what stands none was taken back.</summary>
    private void CheckChildren()
    {
        foreach (var visit in _harness.State.Visits.Values)
        {
            foreach (var call in visit.Calls.Where(call => call.Child is not null))
            {
                var id = call.Id.ToString();
                var isBegun = _children.TryGetValue(id, out var child);
                if (visit.Status == VisitStatus.RolledBack && isBegun && !child!.IsTakenBack && !call.Residue)
                {
                    _world.Violations.Add($"{id}: its step was taken back, and it stands");
                }

                if (visit.Status == VisitStatus.Committed && call.Status == CallStatus.Settled && call.Id.Attempt == visit.Attempt && child?.IsTakenBack == true)
                {
                    _world.Violations.Add($"{id}: its output stands in the parent, and it was taken back");
                }
            }
        }
    }
}

using System.Collections.Concurrent;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.DurableTask.Client;
using Omium.Azure.Pump;
using Omium.Functions.Pump;
using Omium.Runtime.Ports;

namespace Omium.Functions.Tests.Pump;

/// <summary>The event <c>approve</c>: none is lost, whatever else the pump is told meanwhile and however often it begins anew.</summary>
public sealed class ApproveEventTests
{
    private const int Approvals = 200;
    private static readonly StreamId Stream = new("ten_a", "exe_race");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<string, bool> _failed = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _delivered = new();
    private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<int> _looked = Channel.CreateBounded<int>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private int _looks;
    private bool _isDone;

    /// <summary>Approvals, nudges and timers that are due at once meet in the same batches; some deliveries fail the first time.</summary>
    [Fact]
    public async Task Approve_RacingNudgesTimersAndNewBeginnings_IsDeliveredEachTime()
    {
        await using var host = await DurableHost.StartAsync(Play(dueInMs: look => look % 3));
        var pump = await StartAsync(host.Client);

        // One after the other and after 0 to 3 more beginnings, so that they meet the pump at each of its places, also just as a wait ends.
        var random = new Random(5);
        for (var number = 0; number < Approvals; number++)
        {
            for (var looks = random.Next(4); looks > 0; looks--)
            {
                await _looked.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience, TestContext.Current.CancellationToken);
            }

            await Task.WhenAll(host.Client.RaiseEventAsync(pump, ExecutionPump.Nudge, ""), host.Client.RaiseEventAsync(pump, ExecutionPump.Approve, Approval(number)));
            await AllAsync([number]);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{Approvals} delivered, {_failed.Count} of them at the second attempt; the pump began {_looks} times");
        await EndAsync(host.Client, pump);
    }

    /// <summary>They come before the pump has begun to wait, all in one batch: each waits for its own turn.</summary>
    [Fact]
    public async Task Approve_ManyBeforeThePumpWaits_AreDeliveredOneAfterTheOther()
    {
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var play = Play(dueInMs: _ => null);
        await using var host = await DurableHost.StartAsync(play with
        {
            GetPending = async (input, client) =>
            {
                await open.Task;
                return await play.GetPending(input, client);
            },
        });
        var pump = await StartAsync(host.Client);
        for (var number = 0; number < Approvals; number++)
        {
            await host.Client.RaiseEventAsync(pump, ExecutionPump.Approve, Approval(number), TestContext.Current.CancellationToken);
        }

        open.SetResult();
        await AllAsync(Enumerable.Range(0, Approvals));
        await EndAsync(host.Client, pump);
    }

    /// <summary>What is no approval reaches the API as it is, which refuses it; nothing of it ends the pump.</summary>
    [Fact]
    public async Task Approve_AnyJson_LeavesThePumpRunning()
    {
        var seen = new ConcurrentQueue<string>();
        await using var host = await DurableHost.StartAsync(Play(dueInMs: _ => null) with
        {
            DeliverApproval = (input, _) =>
            {
                seen.Enqueue(input.Approval.GetRawText());
                if (seen.Count == 4)
                {
                    _all.TrySetResult();
                }

                return Task.FromResult(false);
            },
        });
        var pump = await StartAsync(host.Client);
        object?[] sent = [null, 7, "approve", new[] { 1 }, new { other = true }];
        foreach (var data in sent)
        {
            await host.Client.RaiseEventAsync(pump, ExecutionPump.Approve, data, TestContext.Current.CancellationToken);
            await host.Client.RaiseEventAsync(pump, ExecutionPump.Nudge, data, TestContext.Current.CancellationToken);
        }

        await _all.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal(["\"approve\"", "7", "[1]", """{"other":true}"""], seen.Select(text => text.Replace(" ", "", StringComparison.Ordinal)).Order(StringComparer.Ordinal)); // What is kept for the next beginning may change its order.
        await EndAsync(host.Client, pump);
    }

    private PumpPlay Play(Func<int, int?> dueInMs) => new(
        (_, _) =>
        {
            var look = Interlocked.Increment(ref _looks);
            _looked.Writer.TryWrite(look);
            long? due = dueInMs(look) is { } ms ? DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() + ms : null;
            return Task.FromResult(new PumpPage([], More: false, due, Volatile.Read(ref _isDone)));
        },
        (_, _) => Task.CompletedTask,
        (_, _) => Task.FromResult(new EffectRun(null)),
        (input, _) =>
        {
            var id = input.Approval.GetProperty("approval_token").GetString()!;
            if (id.EndsWith("77", StringComparison.Ordinal) && _failed.TryAdd(id, true))
            {
                throw new InvalidOperationException("The store is away.");
            }

            Delivered(id).TrySetResult();

            return Task.FromResult(true);
        });

    private TaskCompletionSource Delivered(string id) => _delivered.GetOrAdd(id, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    /// <summary>One that is lost is named.</summary>
    private async Task AllAsync(IEnumerable<int> numbers)
    {
        foreach (var number in numbers)
        {
            try
            {
                await Delivered($"token {number}").Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
            }
            catch (TimeoutException)
            {
                Assert.Fail($"Approval {number} was lost; the pump began {_looks} times.");
            }
        }
    }

    private static object Approval(int number) => new { review_id = "rev_1", approval_token = $"token {number}" };

    private static async Task<string> StartAsync(DurableTaskClient client)
    {
        var pump = PumpInput.InstanceOf(Stream);
        var pumps = new DurablePumps();
        pumps.Use(client);
        await pumps.EnsureStartedAsync(Stream, TestContext.Current.CancellationToken);
        return pump;
    }

    private async Task EndAsync(DurableTaskClient client, string pump)
    {
        Volatile.Write(ref _isDone, true);
        await client.RaiseEventAsync(pump, ExecutionPump.Nudge, "", TestContext.Current.CancellationToken);
        var ended = await client.WaitForInstanceCompletionAsync(pump, TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal(OrchestrationRuntimeStatus.Completed, ended.RuntimeStatus);
    }
}

using System.Net.Sockets;
using System.Text.Json.Nodes;
using Omium.Cli.Servers;

namespace Omium.Cli.Hosting;

/// <summary>The world around the demo, in this process: a model that plays a script, and a receiver that counts what reaches it.</summary>
internal sealed class DemoServers : IAsyncDisposable
{
    /// <summary>Port of the scripted model, unless it is taken.</summary>
    public const int ModelPort = 7602;

    /// <summary>Port of the receiver, unless it is taken; the example workflows name it.</summary>
    public const int ReceiverPort = 7601;

    private readonly ScriptedModelServer _model;
    private readonly ReceiverServer _receiver;

    private DemoServers(ScriptedModelServer model, ReceiverServer receiver) => (_model, _receiver) = (model, receiver);

    /// <summary>Base URL of the scripted model.</summary>
    public Uri ModelUrl => new(_model.Address, "/v1");

    /// <summary>Where the receiver listens.</summary>
    public Uri Receiver => _receiver.Address;

    /// <summary>Host and port of the receiver: the one private address that the demo's tools may reach.</summary>
    public string ReceiverHost => _receiver.Address.Authority;

    /// <summary>Starts both, on their own ports where those are free.</summary>
    public static async Task<DemoServers> StartAsync(CancellationToken cancellation)
    {
        var script = DemoExamples.ReadScript();
        var model = await OnFreePortAsync(ModelPort, port => ScriptedModelServer.StartAsync(new(script, Port: port), cancellation));
        try
        {
            var receiver = await OnFreePortAsync(ReceiverPort, port => ReceiverServer.StartAsync(new(Port: port), cancellation));
            // The shop's order system: whatever order is looked up, this is the one.
            receiver.AnswerWith("lookup_order", new JsonObject { ["order_id"] = "A-1001", ["total"] = 42.5 });
            return new DemoServers(model, receiver);
        }
        catch
        {
            await model.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _model.DisposeAsync();
        await _receiver.DisposeAsync();
    }

    private static async Task<TServer> OnFreePortAsync<TServer>(int preferred, Func<int, Task<TServer>> start)
    {
        try
        {
            return await start(preferred);
        }
        catch (IOException taken) when (taken.InnerException is SocketException or Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            return await start(0);
        }
    }
}

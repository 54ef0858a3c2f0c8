using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using Omium.Kernel.Executions;
using Omium.Runtime.Effects.Secrets;
using Omium.Runtime.Effects.Tools;

namespace Omium.Runtime.Effects.Mcp;

/// <summary>
/// Calls tools of MCP servers (Model Context Protocol, revisions 2024-11-05 to 2026-07-28): by address over streamable HTTP, in a session for the one call; by name
/// over the standard input and output of a program that the installation has set up. A call is sent once; what follows from a failure stands at
/// <see cref="McpOutcomes"/>. The server learns in <c>_meta</c> which effect it is and under which key it may be repeated.
/// </summary>
public sealed class McpToolClient : IToolClient, IAsyncDisposable
{
    /// <summary>Room for what the protocol wraps around a result.</summary>
    private const long EnvelopeBytes = 64 * 1024;

    private readonly ToolNetworkOptions _network;
    private readonly ISecretSource _secrets;
    private readonly TimeProvider _time;
    private readonly ToolConnections _connections;
    private readonly string _owner;
    private readonly Dictionary<string, McpServerOptions> _servers;
    private readonly ConcurrentDictionary<string, Lazy<Task<McpProcess>>> _processes = new(StringComparer.Ordinal);

    /// <summary>A client; keep one for the process, it holds the programs that serve.</summary>
    /// <param name="network">Limits.</param>
    /// <param name="secrets">Secrets named in addresses and headers.</param>
    /// <param name="servers">Programs that serve, set up by whoever runs Omium.</param>
    /// <param name="owner">The only tenant that may use them: they run with the rights of this machine.</param>
    /// <param name="time">Clock of the time-outs; default the system's.</param>
    /// <param name="resolve">Name resolution; default the system's.</param>
    public McpToolClient(
        ToolNetworkOptions network, ISecretSource secrets, IReadOnlyList<McpServerOptions> servers, string owner, TimeProvider? time = null,
        Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null)
    {
        (_network, _secrets, _owner, _time) = (network, secrets, owner, time ?? TimeProvider.System);
        _servers = servers.ToDictionary(server => server.Name, StringComparer.Ordinal);
        _connections = new ToolConnections(new AddressPolicy(network), resolve ?? Dns.GetHostAddressesAsync);
    }

    /// <inheritdoc/>
    public async Task<EffectOutcome> CallAsync(ToolRequest request, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(request);
        var secrets = await SecretScope.LoadAsync(_secrets, request, cancellation);
        var outcomes = new McpOutcomes(new HttpToolFailures(secrets, _time), secrets, _network.ResponseBytesMax);
        if (request.Arguments.ValueKind != JsonValueKind.Object)
        {
            return outcomes.Refused("request_invalid", "The arguments of an MCP tool are an object.");
        }

        if (request.Arguments.GetRawText().Length > _network.RequestBytesMax)
        {
            return outcomes.Refused("request_too_large", $"The arguments are longer than the {_network.RequestBytesMax} bytes that are sent.");
        }

        using var timeout = new CancellationTokenSource(request.Timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        try
        {
            return request.Url is null
                ? await CallProcessAsync(request, outcomes, either.Token)
                : await CallAddressAsync(request, secrets, outcomes, either.Token);
        }
        catch (Exception) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellation);
        }
        catch (McpCallOverException over) when (timeout.IsCancellationRequested)
        {
            return outcomes.TimedOut(request.Timeout, over.Sent);
        }
        catch (McpCallOverException over)
        {
            return over.Outcome;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var started in _processes.Values.Where(started => started.IsValueCreated))
        {
            try
            {
                await (await started.Value).DisposeAsync();
            }
            catch (McpStartException)
            {
                // It never ran.
            }
        }
    }

    /// <summary>Who Omium is to a server. It offers nothing: a server that would ask back during a call (for a model's answer, for a person's) is told so.</summary>
    internal static McpClientOptions ClientOptions(TimeProvider time) => new()
    {
        ClientInfo = new Implementation { Name = "omium", Version = typeof(McpToolClient).Assembly.GetName().Version!.ToString(3) }, TimeProvider = time,
    };

    private async Task<EffectOutcome> CallProcessAsync(ToolRequest request, McpOutcomes outcomes, CancellationToken cancellation)
    {
        var name = request.Tool.Server ?? "";
        if (request.Tenant != _owner || !_servers.TryGetValue(name, out var options))
        {
            return outcomes.Refused("mcp_server_not_found", $"No MCP server '{name}' is set up here. Whoever runs Omium does that with OMIUM_MCP_SERVERS; or give the server's address.");
        }

        McpProcess process;
        try
        {
            process = await ProcessAsync(options).WaitAsync(cancellation);
        }
        catch (McpStartException failed)
        {
            return outcomes.Unreached("mcp_server_failed", failed.Message);
        }
        catch (OperationCanceledException)
        {
            throw new McpCallOverException(sent: false, outcomes.Unreached("connect_timeout", "The MCP server was not ready in time."));
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, process.Ended);
        try
        {
            return outcomes.Of(await process.Client.CallToolAsync(Parameters(request), either.Token));
        }
        catch (Exception) when (process.IsTooLong)
        {
            process.Kill();
            return outcomes.TooLarge();
        }
        catch (Exception broken) when (process.Ended.IsCancellationRequested || HttpToolFailures.Find<IOException>(broken) is not null)
        {
            process.Kill(); // A program whose output has ended serves nobody any more, whether or not it has ended itself.
            return outcomes.Broken($"The MCP server '{name}' ended before it answered; {await process.WhyAsync()}");
        }
        catch (Exception broken)
        {
            return cancellation.IsCancellationRequested ? throw new McpCallOverException(sent: true, outcomes.Of(broken, sent: true)) : outcomes.Of(broken, sent: true);
        }
    }

    /// <summary>The program, running. One that has ended, or could not be started, is started anew by the next call.</summary>
    private async Task<McpProcess> ProcessAsync(McpServerOptions options)
    {
        while (true)
        {
            var started = _processes.GetOrAdd(
                options.Name, _ => new Lazy<Task<McpProcess>>(() => McpProcess.StartAsync(options, _network.ResponseBytesMax + EnvelopeBytes, _time)));
            try
            {
                var process = await started.Value;
                if (!process.Ended.IsCancellationRequested)
                {
                    return process;
                }

                if (_processes.TryRemove(KeyValuePair.Create(options.Name, started)))
                {
                    await process.DisposeAsync();
                }
            }
            catch (McpStartException)
            {
                _processes.TryRemove(KeyValuePair.Create(options.Name, started));
                throw;
            }
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever the other side or the protocol's client makes of an answer is a failed call, not a bug of Omium.")]
    private async Task<EffectOutcome> CallAddressAsync(ToolRequest request, SecretScope secrets, McpOutcomes outcomes, CancellationToken cancellation)
    {
        HttpToolMessage message;
        try
        {
            message = new HttpToolMessage(request with { IdempotencyKey = null, FencingTokens = null, Body = null }, secrets, _network);
        }
        catch (RequestRefusedException refused)
        {
            return outcomes.Refused(refused.Code, refused.Message);
        }
        catch (SecretMissingException missing)
        {
            return outcomes.Refused("secret_missing", missing.Message);
        }

        using var gate = new McpHttpGate(_connections.CreateHandler(), _network.ResponseBytesMax + EnvelopeBytes);
        using var http = new HttpClient(gate, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, gate.TooLarge);
        try
        {
            var transport = new HttpClientTransport(
                new HttpClientTransportOptions
                {
                    Endpoint = message.Url,
                    TransportMode = HttpTransportMode.StreamableHttp,
                    EnableStandaloneGetStream = false,
                    AdditionalHeaders = message.Headers.ToDictionary(header => header.Key, header => header.Value, StringComparer.OrdinalIgnoreCase),
                    ConnectionTimeout = request.Timeout,
                },
                http);
            await using var client = await McpClient.CreateAsync(transport, ClientOptions(_time), cancellationToken: either.Token);
            gate.IsCalling = true;
            var result = await client.CallToolAsync(Parameters(request), either.Token);
            gate.IsCalling = false;
            return outcomes.Of(result);
        }
        catch (Exception) when (gate.TooLarge.IsCancellationRequested)
        {
            return gate.Sent ? outcomes.TooLarge() : outcomes.Unreached("response_too_large", "The server's greeting is too large.");
        }
        catch (Exception broken)
        {
            return cancellation.IsCancellationRequested ? throw new McpCallOverException(gate.Sent, outcomes.Of(broken, gate.Sent)) : outcomes.Of(broken, gate.Sent);
        }
    }

    private static CallToolRequestParams Parameters(ToolRequest request)
    {
        var meta = new JsonObject { [McpMeta.Effect] = request.EffectId };
        if (request.IdempotencyKey is { } key)
        {
            meta[McpMeta.IdempotencyKey] = key;
        }

        if (request.FencingTokens is { } tokens)
        {
            meta[McpMeta.FencingToken] = tokens;
        }

        return new CallToolRequestParams
        {
            Name = request.Tool.Target ?? request.Tool.Name,
            Arguments = request.Arguments.EnumerateObject().ToDictionary(member => member.Name, member => member.Value, StringComparer.Ordinal),
            Meta = meta,
        };
    }
}

/// <summary>The time of a call is over, or it was given up.</summary>
internal sealed class McpCallOverException(bool sent, EffectOutcome outcome) : Exception
{
    public bool Sent { get; } = sent;

    public EffectOutcome Outcome { get; } = outcome;
}

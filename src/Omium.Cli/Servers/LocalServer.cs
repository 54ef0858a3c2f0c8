using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Omium.Cli.Servers;

/// <summary>What the servers at the edges share: Kestrel on the loopback address, quiet, in this process.</summary>
internal static class LocalServer
{
    /// <summary>A server on 127.0.0.1; port 0 takes a free one.</summary>
    public static WebApplication Create(int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, port);
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 64 * 1024 * 1024;
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        var server = builder.Build();
        server.Use(next => http => IsOurs(http.Request.Host.Host) ? next(http) : Hosting.HostProblem.WriteAsync(http, "host_not_allowed", "This server answers to 127.0.0.1 and localhost only."));
        return server;
    }

    /// <summary>A page that has rebound its name to 127.0.0.1 gets nothing.</summary>
    public static bool IsOurs(string host) => host is "127.0.0.1" or "localhost" or "[::1]";

    /// <summary>Starts and tells where it listens.</summary>
    public static async Task<Uri> StartAsync(WebApplication server, CancellationToken cancellation)
    {
        await server.StartAsync(cancellation);
        var addresses = server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>();
        return new Uri(addresses!.Addresses.First());
    }

    /// <summary>Runs a server as a command: prints its address, ends with the token. Usage errors are exit code 2, a taken port is 1.</summary>
    public static async Task<int> RunCommandAsync(string name, Func<CancellationToken, Task<(Uri Address, IAsyncDisposable Server)>> start, CancellationToken cancellation)
    {
        try
        {
            var (address, server) = await start(cancellation);
            await using (server)
            {
                Console.WriteLine($"{name} listening on {address.ToString().TrimEnd('/')}");
                var ended = new TaskCompletionSource();
                using var registration = cancellation.Register(ended.SetResult);
                await ended.Task;
            }

            return 0;
        }
        catch (UsageException usage)
        {
            await Console.Error.WriteLineAsync($"omium {name}: {usage.Message}");
            return 2;
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"omium {name}: {failed.Message}");
            return 1;
        }
    }
}

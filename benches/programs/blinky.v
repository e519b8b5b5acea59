// The workload of the yosys benchmark: a small system for iCE40 with a counter, a shift-register random source, a multiplier,
// a serial transmitter and a little memory, so that most synthesis passes have something to do.
module top (
    input  wire       clk,
    input  wire       button,
    output wire [7:0] leds,
    output wire       serial
);
    reg [25:0] counter = 0;
    always @(posedge clk) counter <= counter + 1'b1;

    // A 32-bit Galois shift register.
    reg [31:0] random = 32'h1;
    always @(posedge clk)
        random <= {1'b0, random[31:1]} ^ (random[0] ? 32'ha3000000 : 32'h0);

    // A dual-port memory that the random source fills.
    reg [15:0] memory [0:511];
    reg [15:0] word;
    always @(posedge clk) begin
        if (random[3:0] == 4'h7) memory[random[12:4]] <= random[31:16];
        word <= memory[counter[8:0]];
    end

    // A multiply-accumulate and a small state machine.
    reg [31:0] sum = 0;
    reg [2:0]  state = 0;
    always @(posedge clk) begin
        case (state)
            3'd0: if (button) state <= 3'd1;
            3'd1: begin sum <= sum + word[7:0] * random[7:0]; state <= word[15] ? 3'd2 : 3'd3; end
            3'd2: begin sum <= sum ^ {sum[15:0], sum[31:16]}; state <= 3'd4; end
            3'd3: begin sum <= sum - {16'h0, word}; state <= 3'd4; end
            3'd4: state <= (sum[7:0] < counter[7:0]) ? 3'd5 : 3'd1;
            default: state <= 3'd0;
        endcase
    end

    transmitter sender (.clk(clk), .start(counter[12:0] == 0), .data(sum[7:0]), .line(serial));

    genvar i;
    generate
        for (i = 0; i < 8; i = i + 1) begin : lamp
            // Each lamp is dimmed by comparing its own slice with the counter.
            assign leds[i] = sum[4 * i +: 4] > counter[3:0] || (counter[25 - i] & state[0]);
        end
    endgenerate
endmodule

// Eight bits, one start and one stop bit, 104 clocks a bit.
module transmitter (
    input  wire       clk,
    input  wire       start,
    input  wire [7:0] data,
    output wire       line
);
    reg [9:0] shift = 10'h3ff;
    reg [6:0] clocks = 0;
    reg [3:0] left = 0;
    assign line = shift[0];
    always @(posedge clk) begin
        if (left == 0) begin
            if (start) begin
                shift <= {1'b1, data, 1'b0};
                left <= 4'd10;
                clocks <= 0;
            end
        end else if (clocks == 7'd103) begin
            clocks <= 0;
            shift <= {1'b1, shift[9:1]};
            left <= left - 1'b1;
        end else
            clocks <= clocks + 1'b1;
    end
endmodule
